"""The load: so many connections, each sending its next request as soon as the last one is answered."""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Protocol, cast

import httptools

CONNECTIONS = 32
ANSWER_TIMEOUT_S = 20


class Script(Protocol):
    """What one connection says, and what it makes of the answers."""

    def request(self) -> bytes | None:
        """Give the next request, head and body; None when there is nothing left to ask."""

    def answered(self, body: bytes) -> None:
        """Take the body of an answer 200; every other answer ends the round."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of load found; latencies in seconds, in ascending order."""

    seconds: float
    latencies: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Answers per second, over all connections."""
        return len(self.latencies) / self.seconds

    def latency(self, share: float) -> float:
        """Give the time in seconds within which this *share* of the requests was answered."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


async def drive(port: int, scripts: Sequence[Script], seconds: float) -> Round:
    """
    Play each script on a connection of its own, all at the same time.

    Args:
        port: where the server listens on the loopback address.
        seconds: for how long new requests are sent; a script that has nothing left ends sooner.

    Raises:
        RuntimeError: something else than 200 was answered, or a connection was closed.
    """
    loop = asyncio.get_running_loop()
    players = [_Player(script) for script in scripts]
    for player in players:
        await loop.create_connection(partial(_same, player), "127.0.0.1", port)
    gc.collect()
    gc.freeze()
    began = perf_counter()
    for player in players:
        player.start(began + seconds)
    async with asyncio.timeout(seconds + ANSWER_TIMEOUT_S):
        await asyncio.gather(*(player.finished for player in players))
    lasted = perf_counter() - began
    return Round(lasted, tuple(sorted(latency for player in players for latency in player.latencies)))


def _same(player: "_Player") -> "_Player":
    return player


class _Player(asyncio.Protocol):
    """One connection; as little Python for each answer as will do, or the load would be what is measured."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._sent_at = self._until = 0.0
        self.latencies: list[float] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def start(self, until: float) -> None:
        """Send the first request; none is sent after *until* (`perf_counter`)."""
        self._until = until
        self._send_next(perf_counter())

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(RuntimeError(f"the server closed a connection: {exc!r}"))

    def on_body(self, body: bytes) -> None:
        """Keep a part of the answer's body (httptools calls this)."""
        self._parts.append(body)

    def on_message_complete(self) -> None:
        """Take the whole answer (httptools calls this)."""
        now = perf_counter()
        self.latencies.append(now - self._sent_at)
        body = b"".join(self._parts)
        self._parts.clear()
        status = self._parser.get_status_code()
        if status != 200:
            self._stop(RuntimeError(f"answered {status}: {body.decode(errors='replace')[:300]}"))
            return
        self._script.answered(body)
        self._send_next(now)

    def _send_next(self, now: float) -> None:
        request = self._script.request() if now < self._until else None
        if request is None:
            self._stop(None)
            return
        self._sent_at = now
        self._transport.write(request)

    def _stop(self, failure: Exception | None) -> None:
        if failure is None:
            self.finished.set_result(None)
        else:
            self.finished.set_exception(failure)
        self._transport.close()
