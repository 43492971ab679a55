"""A client's connection that stays with HTTP/1.1, whatever other protocol a request asks for."""

import asyncio
from typing import Any, Final

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

_TUNNEL: Final = b"CONNECT"


class OneProtocol(HttpToolsProtocol):
    """
    Reads a request that asks for another protocol like any other.

    To the parser the message ends with such a head: it does not read the body, and uvicorn then takes the body for the
    next request, or throws away what came in one piece with the head. A proxy that hands on ``Upgrade`` reads the body
    as a body, so whoever writes one would have a request of their own slipped past it.

    Source: RFC 9110 §7.8 (a server may ignore ``Upgrade``); attacks.md E15.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = _Parser(self)

    def on_headers_complete(self) -> None:
        """Begin with the request, unless it comes once more without its wish."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request, likewise."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def head_without_upgrade(self) -> bytes:
        """Write the head that was read last, without the wish for another protocol."""
        first = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        headers = [b"%b: %b" % pair for pair in self.headers if pair[0] != b"upgrade"]
        return b"\r\n".join([first, *headers, b"", b""])


class _Parser(httptools.HttpRequestParser):
    """
    Where a head asks for another protocol, has it read again without that wish, with what stands behind it.

    Another parser does that, because to this one the connection may be at its end. A tunnel, which a proxy is asked for
    (RFC 9110 §9.3.6), is nothing but such a wish, so it is refused.
    """

    def __init__(self, protocol: OneProtocol) -> None:
        super().__init__(protocol)
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self._protocol = protocol

    def feed_data(self, data: bytes) -> None:  # type: ignore[override] # which is all that uvicorn has
        """Read a piece."""
        parser = self
        while True:
            try:
                httptools.HttpRequestParser.feed_data(parser, data)
            except httptools.HttpParserUpgrade as asked:
                if parser.get_method() == _TUNNEL:
                    raise httptools.HttpParserError("a tunnel is asked for") from asked
                data = self._protocol.head_without_upgrade() + data[asked.args[0] :]
                parser = self._protocol.parser = _Parser(self._protocol)
            else:
                return
