"""A house behind a real socket in this process, as `keybearer serve` puts it there, and bytes to it and from it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from keybearer.cli.running import uvicorn_config
from tests.support.house import House


@dataclass(slots=True)
class Front:
    """
    Where the house listens.

    Args:
        asked: how many requests its application was asked.
        state: what the server's connections share.
    """

    house: House
    port: int = 0
    asked: int = 0
    state: ServerState = field(default_factory=ServerState)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer."""
        self.asked += 1
        await self.house.app(scope, receive, send)

    def shut_down(self) -> None:
        """Have every connection end once what is under way on it has been answered, as a server that stops does."""
        for connection in list(self.state.connections):
            connection.shutdown()

    async def ask(self, *pieces: bytes, answers: int = 1) -> list["Answer"]:
        """Send *pieces* over one connection, each once the one before was read, and return so many answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0.02)
            async with asyncio.timeout(20):
                return [await read_answer(reader) for _ in range(answers)]
        finally:
            writer.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came, its headers in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the value of the one header of that *name*."""
        [value] = [value for key, value in self.headers if key == name]
        return value


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Return the next answer that comes on a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").removesuffix("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = tuple((name.lower(), value) for name, _, value in (line.partition(": ") for line in lines))
    length = int(dict(headers).get("content-length", "0"))
    return Answer(int(first.split()[1]), headers, await reader.readexactly(length))


@asynccontextmanager
async def on_a_socket(house: House, patience_s: float = 20, idle_s: float = 75) -> AsyncIterator[Front]:
    """
    Let the house listen while the block lasts.

    Args:
        patience_s: seconds that the head of a request may take.
        idle_s: seconds that a connection may be idle between two requests.
    """
    front = Front(house)
    config = uvicorn_config(lambda: front, 1, patience_s)  # type: ignore[arg-type, return-value] # ASGI is all it wants
    config.timeout_keep_alive = idle_s  # type: ignore[assignment] # any number will do
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: config.http_protocol_class(config, front.state, dict(house.state)),  # type: ignore[call-arg] # as uvicorn does
        "127.0.0.1",
        0,
    )
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
        front.shut_down()
        await server.wait_closed()
