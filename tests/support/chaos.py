"""A TCP connection that breaks in all the ways that connections do: a proxy between two processes, under the hand."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

Upstream = Path | tuple[str, int]
_CHUNK = 65_536
_LINGER_NOT = struct.pack("ii", 1, 0)  # closing says RST


class Way:
    """
    One direction; what comes in it goes on in order, as TCP has it, but not always at once, once, or at all.

    Attributes:
        delay_s: for how long the next chunk is kept back.
        bytes_a_second: None: as fast as it comes.
        bytes_left: after so many the connection breaks off; None: never.
        copies: of each chunk.
    """

    def __init__(self) -> None:
        self._is_open = asyncio.Event()
        self.flow()

    def flow(self) -> None:
        """Be as a good connection is."""
        self.delay_s: Callable[[], float] = lambda: 0.0
        self.bytes_a_second: float | None = None
        self.bytes_left: int | None = None
        self.copies = 1
        self._is_open.set()

    def stall(self) -> None:
        """Let nothing through any more, and say nothing: what is sent waits in the sender's own system."""
        self._is_open.clear()

    async def pass_on(self, chunk: bytes, writer: asyncio.StreamWriter) -> None:
        """
        Send a chunk on its way.

        Raises:
            ConnectionAbortedError: the connection breaks off here.
        """
        await asyncio.sleep(self.delay_s())
        if self.bytes_a_second is not None:
            await asyncio.sleep(len(chunk) / self.bytes_a_second)
        await self._is_open.wait()
        if self.bytes_left is not None:
            chunk, self.bytes_left = chunk[: self.bytes_left], max(0, self.bytes_left - len(chunk))
        writer.write(chunk * self.copies)
        await writer.drain()
        if self.bytes_left == 0:
            raise ConnectionAbortedError


class Exchange:
    """
    The question that is under way on one connection, and the answer to it as far as it has come.

    Attributes:
        is_replayed: an old answer was given instead.
    """

    def __init__(self) -> None:
        self.question = self.answer = b""
        self.is_replayed = False

    def ask(self, chunk: bytes) -> None:
        """Take in a piece of a question; the first one after an answer begins the next question."""
        if self.answer or self.is_replayed:
            self.question = self.answer = b""
            self.is_replayed = False
        self.question += chunk

    @property
    def line(self) -> bytes:
        """The question's first line."""
        return self.question.partition(b"\r\n")[0]

    @property
    def is_whole(self) -> bool:
        """Whether the question has come with all of its body."""
        head, blank, body = self.question.partition(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length:")
        return bool(blank) and len(body) >= int(length.split(b"\r\n")[0] or 0)


class ChaosProxy:
    """
    Listens on a port of the loopback address, and passes on to *upstream* until it is told to do otherwise.

    Attributes:
        there: from the caller to upstream.
        back: from upstream to the caller.
        is_refusing: every new connection is reset at once.
        is_replaying: HTTP questions are given the last answer that there was to a question with the same first line.
        answers: those, by that line.
        carried: how many connections there have been.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.there, self.back = Way(), Way()
        self.is_refusing = self.is_replaying = False
        self.carried = 0
        self.port = 0
        self.answers: dict[bytes, bytes] = {}
        self._frozen: list[asyncio.StreamWriter] = []
        self._under_way: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    @property
    def url(self) -> str:
        """Where HTTP is spoken through it."""
        return f"http://127.0.0.1:{self.port}"

    def stall(self) -> None:
        """Be a half-open connection, both ways."""
        self.there.stall()
        self.back.stall()

    def reset(self) -> None:
        """Break every connection off (RST)."""
        for task, writers in list(self._under_way.items()):
            for writer in writers:
                _say_reset(writer)
            task.cancel()

    def freeze(self) -> None:
        """Let every connection that there is be half-open for ever; new ones are good."""
        for task, writers in list(self._under_way.items()):
            self._frozen += writers
            writers.clear()
            task.cancel()

    def heal(self) -> None:
        """Be a good connection; those that were stalled go on where they stood."""
        self.there.flow()
        self.back.flow()
        self.is_refusing = self.is_replaying = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._under_way[task] = writers = [writer]
        try:
            if self.is_refusing:
                _say_reset(writer)
                return
            self.carried += 1
            up_reader, up_writer = await self._connect()
            writers.append(up_writer)
            exchange = Exchange()
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry_there(reader, up_writer, writer, exchange))
                both.create_task(self._carry_back(up_reader, writer, exchange))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in writers:
                each.close()
            del self._under_way[task]

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._upstream, Path):
            return await asyncio.open_unix_connection(self._upstream)
        return await asyncio.open_connection(*self._upstream)

    async def _carry_there(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        caller: asyncio.StreamWriter,
        exchange: Exchange,
    ) -> None:
        while chunk := await reader.read(_CHUNK):
            exchange.ask(chunk)
            if not self.is_replaying:
                await self.there.pass_on(chunk, writer)
            elif exchange.is_whole:
                await self._replay(exchange, caller)
        raise ConnectionAbortedError  # the caller has gone: so does the other half

    async def _carry_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, exchange: Exchange) -> None:
        while chunk := await reader.read(_CHUNK):
            if self.is_replaying:
                await self._replay(exchange, writer)
            else:
                exchange.answer += chunk
                self.answers[exchange.line] = exchange.answer
                await self.back.pass_on(chunk, writer)
        raise ConnectionAbortedError

    async def _replay(self, exchange: Exchange, caller: asyncio.StreamWriter) -> None:
        if not exchange.is_replayed and (answer := self.answers.get(exchange.line)):
            exchange.is_replayed = True
            await self.back.pass_on(answer, caller)

    async def end(self) -> None:
        """Break off what is under way."""
        tasks = list(self._under_way)
        self.reset()
        for writer in self._frozen:
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def chaos_proxy(upstream: Upstream) -> AsyncIterator[ChaosProxy]:
    """
    Run a proxy while the block lasts.

    Args:
        upstream: a host and a port, or the path of a socket.
    """
    proxy = ChaosProxy(upstream)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()


def losing(share: float, random: Random, again_s: float = 0.2) -> Callable[[], float]:
    """
    Return the delays of a network that loses packets: each is sent again after a while, then after twice as long.

    Args:
        share: how many of them are lost, 0 to 1.
        again_s: seconds until a lost packet is sent the second time.
    """

    def delay_s() -> float:
        lost = 0
        while lost < 6 and random.random() < share:
            lost += 1
        return again_s * float(2**lost - 1)

    return delay_s


def _say_reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.family != socket.AF_UNIX and not writer.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()
