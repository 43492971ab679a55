"""A client's connection, as uvicorn has it, that asks for hits before it asks the application."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from keybearer.server.http.hits import HITS, FirstLine, Hits
from keybearer.server.http.intake import MAX_HEADER_BYTES

_OK: Final = b"HTTP/1.1 200 OK\r\n"


class HittingProtocol(HttpToolsProtocol):
    """
    Answers a hit at once, without a task of its own and without ASGI, which take longer than the answer.

    What can be a hit came whole at the beginning of one small piece, on a connection where nothing else is under way or
    held up and which goes on afterwards. Any other request, and one that is no hit, takes uvicorn's own way.
    """

    _piece_is_small = False
    _requests_in_piece = 0
    _held: FirstLine | None = None  # of the request that may be a hit, and that uvicorn does not know of yet
    _held_body = b""

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._piece_is_small = len(data) <= MAX_HEADER_BYTES
        self._requests_in_piece = 0
        super().data_received(data)
        if self._held is not None:  # there is more to come of it
            self._hand_on()

    def on_message_begin(self) -> None:
        """Count what begins in this piece."""
        self._requests_in_piece += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hold back what may be a hit."""
        first, hits = (self.parser.get_method(), self.url), self._hits
        if hits and hits.has(first) and self._could_be_answered_now():
            self._held, self._held_body = first, b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep the body with what it belongs to."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held_body += body

    def on_message_complete(self) -> None:
        """Answer a hit; hand on what is none."""
        if self._held is not None:
            answer = self._answer(self._held)
            if answer is not None:
                self._held = None
                of_server = [b"%b: %b\r\n" % each for each in self.server_state.default_headers]
                self.transport.write(b"".join((_OK, *of_server, answer)))
                self.on_response_complete()
                return
            self._hand_on()
        super().on_message_complete()

    @property
    def _hits(self) -> Hits | None:
        """What the application can tell of hits; not every application can."""
        return self.app_state.get(HITS)

    def _answer(self, first: FirstLine) -> bytes | None:
        hits, peer = self._hits, self.client[0] if self.client else ""
        return hits.answer(first, self.headers, self._held_body, peer) if hits else None

    def _could_be_answered_now(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        is_free = cycle is None or cycle.response_complete
        is_ready = is_free and not self.flow.write_paused and not self.transport.is_closing()
        goes_on = self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()
        return self._piece_is_small and self._requests_in_piece == 1 and is_ready and goes_on

    def _hand_on(self) -> None:
        """Tell uvicorn what it was not told of the request that was held back."""
        self._held = None
        super().on_headers_complete()
        if self._held_body:
            super().on_body(self._held_body)
