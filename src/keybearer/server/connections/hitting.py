"""A client's connection, as uvicorn has it, that asks for hits before it asks the application."""

import asyncio
from functools import partial
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from keybearer.server.connections.one_protocol import OneProtocol
from keybearer.server.connections.whole_request import Headers, WholeRequests
from keybearer.server.http.hits import HITS, Hits
from keybearer.server.http.intake import MAX_HEADER_BYTES

_OK: Final = b"HTTP/1.1 200 OK\r\n"
_Asked = tuple[bytes, Headers, bytes, str]


class HittingProtocol(OneProtocol):
    """
    Answers a hit without all that uvicorn and ASGI do for a request, which takes longer than the answer.

    What can be a hit came whole in one small piece, on a connection where nothing else is under way or held up and
    which goes on afterwards. Anything else takes uvicorn's own way, from its first byte on. What comes while a request
    waits for a look at the feed is kept until that request has been answered, or has taken uvicorn's way.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._hits: Hits | None = app_state.get(HITS)  # not every application can tell any
        self._whole_requests = WholeRequests()
        self._is_in_message = False
        self._held: list[bytes] = []  # the request that waits for a look, and what came after it
        self._hit_at = 0.0

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._held:
            self._held.append(data)
            self.flow.pause_reading()
            return
        asked = self._asked(data)
        if self._hits is None or asked is None:
            self.hand_on(data)
        elif self._hits.freshness.takes_time:
            self._held.append(data)
            self.begin_to_hold()
            self._hits.freshness.when_known(partial(self._look_made, asked))
        else:
            self._answer(data, self._hits.answer(*asked) if self._hits.freshness.knows_all() else None)

    def hand_on(self, data: bytes) -> None:
        """Have uvicorn take what is not answered as a hit."""
        super().data_received(data)

    def begin_to_hold(self) -> None:
        """Note that a request waits for a look at the feed."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what is held: nobody would read its answer."""
        self._held.clear()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Let the application answer what is held, and then the connection end."""
        if self._held:
            self._go_on(None)
        super().shutdown()

    def on_message_begin(self) -> None:
        """Note that there is more to come."""
        self._is_in_message = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Note that this was all."""
        self._is_in_message = False
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, unless there was a hit meanwhile, or is one now: a timer for each takes longer."""
        since = self.loop.time() if self._held else self._hit_at
        left_s = since + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left_s, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _asked(self, piece: bytes) -> _Asked | None:
        """Return what `Hits.answer` takes of the request that *piece* is; None if that cannot be a hit."""
        hits, first_line = self._hits, piece[: piece.find(b"\r\n")]
        if hits is None or not hits.has(first_line) or len(piece) > MAX_HEADER_BYTES or not self._is_free():
            return None
        request = self._whole_requests.read(piece)
        if request is None:
            return None
        return first_line, request.headers, request.body, self.client[0] if self.client else ""

    def _is_free(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        is_idle = not self._is_in_message and (cycle is None or cycle.response_complete)
        return is_idle and not self.flow.write_paused and not self.transport.is_closing()

    def _look_made(self, asked: _Asked, is_known: bool) -> None:  # noqa: FBT001 - that is all it is told
        """Answer what is held, unless the connection is gone or the application has it meanwhile."""
        if self._held and self._hits:
            self._go_on(self._hits.answer(*asked) if is_known else None)

    def _go_on(self, answer: bytes | None) -> None:
        """Give the answer to what is held, and take what came after it."""
        piece, *later = self._held
        self._held = []
        self._answer(piece, answer)
        if later:
            self.flow.resume_reading()
            for each in later:
                self.data_received(each)

    def _answer(self, piece: bytes, answer: bytes | None) -> None:
        """Give the answer to the request that *piece* is, or let the application give it."""
        if answer is None:
            self.hand_on(piece)
            return
        of_server = [b"%b: %b\r\n" % each for each in self.server_state.default_headers]
        self.transport.write(b"".join((_OK, *of_server, answer)))
        self._hit_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.on_response_complete()
