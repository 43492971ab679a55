"""Somebody's program that takes webhooks: it keeps what it hears, and answers as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext, SSLError
from typing import Any

import msgspec

TIMEOUT_S = 30
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Heard:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        """The body's JSON."""
        read: dict[str, Any] = msgspec.json.decode(self.body)
        return read

    @property
    def event(self) -> str:
        """What it tells of."""
        alias: str = self.said["trigger"]["alias"]
        return alias


@dataclass(slots=True)
class Receiver:
    """
    A program that listens on a port of its own.

    Args:
        answer: what it sends back, byte for byte.
        hangs_up: whether it ends the connection then, or waits for whoever called to do that.
        may_answer: while this is not set, nobody is answered.
    """

    port: int
    answer: bytes = NO_CONTENT
    hangs_up: bool = True
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    serving: set[asyncio.Task[None]] = field(default_factory=set)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def events(self) -> list[str]:
        """What it was told of, in the order in which it came."""
        return [each.event for each in self.heard]

    def answers(self, status: int, *headers: str) -> None:
        """Answer so from now on, without a body."""
        lines = "".join(f"{line}\r\n" for line in headers)
        self.answer = f"HTTP/1.1 {status} Whatever\r\n{lines}content-length: 0\r\n\r\n".encode()

    async def has_heard(self, count: int) -> None:
        """Wait until *count* requests have come."""
        async with asyncio.timeout(TIMEOUT_S), self._news:
            await self._news.wait_for(lambda: len(self.heard) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, SSLError):  # whoever called has gone
            await self._converse(reader, writer)
        writer.close()
        with suppress(ConnectionError, SSLError):
            await writer.wait_closed()
        self.serving.discard(task)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        async with self._news:
            self.heard.append(Heard(method, path, headers, body))
            self._news.notify_all()
        await self.may_answer.wait()
        writer.write(self.answer)
        await writer.drain()
        if not self.hangs_up:
            await reader.read()


@asynccontextmanager
async def receiving(trust: SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Have a receiver listen while the block lasts, with TLS if it is given what that takes."""
    receiver = Receiver(0)
    receiver.may_answer.set()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=trust)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver.may_answer.set()
        server.close()
        await server.wait_closed()
        await asyncio.gather(*receiver.serving)
