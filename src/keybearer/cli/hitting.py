"""A client's connection, as uvicorn has it, that asks for hits before it asks the application."""

import asyncio
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from keybearer.cli.one_protocol import OneProtocol
from keybearer.cli.whole_request import WholeRequests
from keybearer.server.http.hits import HITS, Hits
from keybearer.server.http.intake import MAX_HEADER_BYTES

_OK: Final = b"HTTP/1.1 200 OK\r\n"


class HittingProtocol(OneProtocol):
    """
    Answers a hit at once, without all that uvicorn and ASGI do for a request, which takes longer than the answer.

    What can be a hit came whole in one small piece, on a connection where nothing else is under way or held up and
    which goes on afterwards. Anything else takes uvicorn's own way, from its first byte on.
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
        self._hit_at = 0.0

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        answer = self._answer(data)
        if answer is None:
            super().data_received(data)
            return
        of_server = [b"%b: %b\r\n" % each for each in self.server_state.default_headers]
        self.transport.write(b"".join((_OK, *of_server, answer)))
        self._hit_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.on_response_complete()

    def on_message_begin(self) -> None:
        """Note that there is more to come."""
        self._is_in_message = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Note that this was all."""
        self._is_in_message = False
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, unless a hit has been answered meanwhile: to wind up a clock at each takes longer."""
        left_s = self._hit_at + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left_s, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _answer(self, piece: bytes) -> bytes | None:
        hits, first_line = self._hits, piece[: piece.find(b"\r\n")]
        if hits is None or not hits.has(first_line) or len(piece) > MAX_HEADER_BYTES or not self._is_free():
            return None
        request = self._whole_requests.read(piece)
        if request is None:
            return None
        return hits.answer(first_line, request.headers, request.body, self.client[0] if self.client else "")

    def _is_free(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        is_idle = not self._is_in_message and (cycle is None or cycle.response_complete)
        return is_idle and not self.flow.write_paused and not self.transport.is_closing()
