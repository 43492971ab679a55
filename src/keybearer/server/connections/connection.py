"""A client's connection: uvicorn's own, with limits on how long and how much it may send before a request is whole."""

import asyncio
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from keybearer.server.connections.hitting import HittingProtocol
from keybearer.server.connections.whole_request import BLANKS
from keybearer.server.http.addresses import plain_address

MAX_WAITING: Final = 64  # requests of one connection that came before the one ahead of them was answered
MAX_HEAD_BYTES: Final = 32 * 1024  # of a head or trailer that is still not whole; the edge judges those that are
_REFUSAL: Final = (
    b"HTTP/1.1 %s\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n"
    b"connection: close\r\ncache-control: no-store\r\n\r\n%s"
)


class _HeadWithBody:
    """
    What uvicorn writes an answer to: the head leaves with the first piece of the body.

    So a small answer is one write and one packet, where uvicorn would make two of it.

    Source: ASGI HTTP 2.5, "Response Start" (the head is not sent before there is something of the body).
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._transport = cycle.transport
        self._is_head_next = cycle.scope["method"] != "HEAD"  # of whose answer the head is all that is written
        self._head = b""

    def write(self, piece: bytes) -> None:
        """Write a piece; keep the head, which is what comes first once an answer was begun."""
        if self._is_head_next and self._cycle.response_started:
            self._is_head_next, self._head = False, piece
        else:
            self._transport.write(self._head + piece)
            self._head = b""

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def is_closing(self) -> bool:
        """Tell whether the connection is being closed."""
        return self._transport.is_closing()


class Connection(HittingProtocol):
    """
    One connection.

    uvicorn waits for ever for a request that is begun, or never begun, and keeps any number of bytes of its head, or of
    the trailer behind its body. Here the head must be whole within a time, counted from the connection's beginning or
    the head's first byte, and within a size; the time that a body may take is the edge's business. A trailer is thrown
    away: it has passed by all who judge headers. Of requests that come before the one ahead is answered, uvicorn takes
    any number, each with a hundred times the memory of its bytes: whoever sends too many is cut off.

    Args:
        patience_s: seconds.

    Source: RFC 9110 §6.5.1 (trailers are not headers), §15.5.9 (408); attacks.md E15, K1, K2.
    """

    def __init__(
        self,
        patience_s: float,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._patience_s = patience_s
        self._waiting: asyncio.TimerHandle | None = None
        self._is_in_head = False
        self._vague_bytes = 0  # since a head or a part of a body was whole

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin to wait for the first head."""
        super().connection_made(transport)
        if self.client is not None:
            self.client = (plain_address(self.client[0]), self.client[1])
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def hand_on(self, data: bytes) -> None:
        """Take what is no hit, for a hit came whole; see to it that a head or a trailer does not come for ever."""
        self._vague_bytes += len(data)
        super().hand_on(data)
        if not self._is_in_message:
            self._vague_bytes = 0
        elif self._vague_bytes > MAX_HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large", b"The request's head is too large.")
        if self._is_answering() or self._waiting is not None:
            return
        if self._is_in_head or self.timeout_keep_alive_task is None:
            self._wait()

    def begin_to_hold(self) -> None:
        """Stop waiting: here is a request."""
        self._stop_waiting()

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._is_in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, which a field of a trailer is not; blanks behind it are not its own (RFC 9110 §5.5)."""
        if self._is_in_head:
            super().on_header(name, value.rstrip(BLANKS))

    def on_headers_complete(self) -> None:
        """Stop waiting: here is a request, unless it is one too many."""
        self._stop_waiting()
        self._is_in_head = False
        self._vague_bytes = 0
        if len(self.pipeline) < MAX_WAITING:
            super().on_headers_complete()
        else:
            self.transport.abort()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._vague_bytes = 0
        super().on_body(body)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Let the application answer."""
        cycle.transport = cast("asyncio.Transport", _HeadWithBody(cycle))
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Begin to wait where the next head has begun already; else it is time enough when it begins."""
        super().on_response_complete()
        if not self._is_in_head:
            self._stop_waiting()
        elif self._waiting is None:
            self._wait()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self._patience_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        """Close a connection on which nothing was asked; say why where something was begun."""
        self._waiting = None
        if self._is_in_head:
            self._refuse(b"408 Request Timeout", b"The request did not arrive in time.")
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: bytes, said: bytes) -> None:
        """Close the connection; say why, unless that would stand in the midst of another answer."""
        if self.transport.is_closing():
            return
        if not self._is_answering():
            self.transport.write(_REFUSAL % (status, len(said), said))
        self.transport.close()
