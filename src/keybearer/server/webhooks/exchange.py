"""
One request to a receiver by HTTP/1.1, of whose answer the status alone is read.

A client that understands all of an answer does work for each piece of it; a receiver that sends interim answers, or
bodies in chunks of one byte, as fast as it can, would keep the event loop from everybody else.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

import httpx2

from keybearer.server.rules.webhook_url import Place

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

MAX_BODY_BYTES: Final = 16 * 1024  # read so that the receiver need not fail in writing them; nothing is kept
_DRAIN_S: Final = 1.0
_MAX_LINE_BYTES: Final = 16 * 1024
_MOST_LINES: Final = 200
_MOST_INTERIM: Final = 4
_SWITCHING: Final = 101  # interim by its number, but nothing follows it
_EMPTY: Final = frozenset({204, 304})

_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
_LENGTH: Final = re.compile(rb"content-length:[ \t]*([0-9]{1,18})[ \t]*\r?\n", re.IGNORECASE)


class NotHttp(Exception):
    """What came is no answer by HTTP, or more of one than anybody needs."""


@cache
def _trusted() -> ssl.SSLContext:
    context = httpx2.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def connected(
    address: IPv4Address | IPv6Address, place: Place, trust: ssl.SSLContext | None = None
) -> Connection:
    """
    Connect to *address*, with TLS where the URL says https: the certificate must be that of the name in it.

    Args:
        trust: whose certificates are good; None: those of the system's authorities.

    Raises:
        OSError: there is no connection; `ssl.SSLError` is one: no trusted certificate.
    """
    secured: dict[str, Any] = {}
    if place.scheme == "https":
        name = place.host if place.address is None else str(place.address)
        secured = {"ssl": trust or _trusted(), "server_hostname": name}
    return await asyncio.open_connection(str(address), place.port, limit=_MAX_LINE_BYTES, **secured)


async def status_of(
    connection: Connection, place: Place, body: bytes, headers: Mapping[str, str], deadline: float
) -> int:
    """
    Post *body*, and return the status of the answer; the connection is ended then, whatever happened.

    Args:
        headers: those that are not about the connection.
        deadline: by the event loop's clock.

    Raises:
        NotHttp: what came is no answer.
        TimeoutError: there was none in time.
        OSError: the connection broke.

    Source: RFC 9112 §4 (status line), §6.3 (length of a body); RFC 9110 §15.2 (interim answers).
    """
    reader, writer = connection
    sent = {"host": place.authority, **headers, "content-length": str(len(body)), "connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    try:
        async with asyncio.timeout_at(deadline):
            writer.write(f"POST {place.target} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body)
            status, length = await _answered(reader)
        await _drain(reader, min(length, MAX_BODY_BYTES), deadline)
        return status
    finally:
        writer.transport.abort()


async def _answered(reader: asyncio.StreamReader) -> tuple[int, int]:
    """Return the status of the answer, and how long its body is at most."""
    for _ in range(1 + _MOST_INTERIM):
        found = _STATUS.fullmatch(await _line(reader))
        if found is None:
            raise NotHttp("no status line")
        status, length = int(found[1]), await _length(reader)
        if status >= 200 or status == _SWITCHING:
            return status, 0 if status in _EMPTY else length
    raise NotHttp("interim answers without end")


async def _length(reader: asyncio.StreamReader) -> int:
    """Read the headers; return the body's length, as far as they tell it."""
    length = MAX_BODY_BYTES
    for _ in range(_MOST_LINES):
        line = await _line(reader)
        if line in {b"\r\n", b"\n"}:
            return length
        if found := _LENGTH.fullmatch(line):
            length = int(found[1])
    raise NotHttp("headers without end")


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise NotHttp("no line") from error


async def _drain(reader: asyncio.StreamReader, length: int, deadline: float) -> None:
    """Read what comes after the head, as far as it is short and quick, and throw it away."""
    until = min(deadline, asyncio.get_running_loop().time() + _DRAIN_S)
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout_at(until):
            while length > 0 and (heard := await reader.read(length)):
                length -= len(heard)
