"""Limits on size, time and form of a request, checked before anything reads it."""

import asyncio
import re
from typing import Final

from starlette.types import Message, Receive, Scope

MAX_BODY_BYTES: Final = 64 * 1024
_LONG_BODIES: Final = {"/verifier/activity": 4 * 1024 * 1024}
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 16 * 1024
_SMALL_NUMBER: Final = re.compile(rb"[0-9]{1,10}")
# What these headers mean where they are not sent.
_UNSAID: Final = {b"transfer-encoding": b"chunked", b"content-encoding": b"identity", b"content-length": b"0"}


class OverLimit(Exception):
    """The request is too large, too slow or malformed; the edge answers it, and it goes no further."""

    def __init__(self, status: int, public: str) -> None:
        super().__init__(public)
        self.status = status
        self.public = public


def check_head(scope: Scope) -> None:
    """
    Refuse too many or too long headers, compressed bodies, and bodies that say they are too long.

    The HTTP parser refuses malformed requests. Refused here is what it accepts but a proxy might read differently: no
    Host header or two, and a body in any transfer coding but ``chunked``.

    Raises:
        OverLimit: says which.

    Source: RFC 9112 §3.2 (Host), §6.1 (Transfer-Encoding).
    """
    raw = scope["headers"]
    hosts = size = 0
    said = dict(_UNSAID)
    for name, value in reversed(raw):  # so that of several the first one stays
        size += len(name) + len(value)
        if name in said:
            said[name] = value
        elif name == b"host":
            hosts += 1
    if hosts != 1 and scope["http_version"] != "1.0":
        raise OverLimit(400, "The request must have one Host header.")
    if said[b"transfer-encoding"].lower() != b"chunked":
        raise OverLimit(400, "The only transfer coding that is accepted is chunked.")
    if len(raw) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise OverLimit(431, "The request's headers are too large.")
    if said[b"content-encoding"].lower() != b"identity":
        raise OverLimit(415, "Compressed bodies are not accepted. Send the body as it is.")
    length, most = said[b"content-length"], most_bytes(scope)
    if not _SMALL_NUMBER.fullmatch(length) or int(length) > most:
        raise OverLimit(413, f"The body is too large. At most {most} bytes are accepted.")


def most_bytes(scope: Scope) -> int:
    """Return how long a body may be; the endpoint for long ones checks the key before it reads them."""
    return _LONG_BODIES.get(scope["path"], MAX_BODY_BYTES)


class Body:
    """Limits the body's size while it arrives, and the time until it is whole."""

    def __init__(self, receive: Receive, patience_s: float, most: int) -> None:
        self._receive = receive
        self._patience_s = patience_s
        self._deadline = 0.0
        self._most = self._left = most
        self._is_whole = False

    async def receive(self) -> Message:
        """Return the next piece, as ASGI's ``receive`` does; raise `OverLimit` for too much, or too late."""
        if self._is_whole:
            return await self._receive()  # waits for the client to go away: no time limit
        if not self._deadline:
            self._deadline = asyncio.get_running_loop().time() + self._patience_s
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise OverLimit(408, "The body did not arrive in time.") from None
        self._left -= len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._left < 0:
            raise OverLimit(413, f"The body is too large. At most {self._most} bytes are accepted.")
        return message
