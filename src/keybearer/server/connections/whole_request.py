"""Requests that came whole, each in a piece of its own, read by the same parser as all others."""

from typing import Final, NamedTuple

import httptools

BLANKS: Final = b" \t"

Headers = list[tuple[bytes, bytes]]


class WholeRequest(NamedTuple):
    """
    One request, after which the connection goes on.

    Args:
        headers: as they came, with names in small letters.
    """

    headers: Headers
    body: bytes


class WholeRequests:
    """Reads one piece after the other; what is in one has no bearing on the next."""

    def __init__(self) -> None:
        self._begin()

    def read(self, piece: bytes) -> WholeRequest | None:
        """Return the request that *piece* is; None if it is anything else: more than one, part of one, or none."""
        self._headers: Headers = []
        self._body = b""
        self._begun = self._ended = 0
        try:
            self._parser.feed_data(piece)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._ended = 0
        if self._begun == self._ended == 1:
            return WholeRequest(self._headers, self._body)
        self._begin()
        return None

    def _begin(self) -> None:
        """Have a parser that waits for the rest of nothing."""
        self._parser = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        """Count it (httptools calls this, and those below)."""
        self._begun += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep it, without the blanks behind it, which the parser leaves there (RFC 9110 §5.5)."""
        self._headers.append((name.lower(), value.rstrip(BLANKS)))

    def on_body(self, body: bytes) -> None:
        """Keep this part of it."""
        self._body += body

    def on_message_complete(self) -> None:
        """Count it, if another may follow on this connection."""
        self._ended += self._parser.should_keep_alive()
