"""
A verifier in a process of its own: it looks at its tokens fifty times a second, and says what it sees.

Each line that it reads is an order: `watch NAME TOKEN`, or `sleep SECONDS` (its clocks go on as those of a machine that
slept) or `set SECONDS` (its wall clock alone is set). Each line that it writes is `NAME OUTCOME AT`, or `done 0 AT` for
an order that was carried out. AT is the reading of the host's CLOCK_BOOTTIME on which the outcome rests: the last one
that the verifier made.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator

from keybearer import InvalidToken, Unavailable, Verifier
from keybearer.sdk import verifier as sdk
from keybearer.sdk.clocks import SYSTEM, Clocks
from keybearer.sdk.session import Surroundings
from tests.faults.processes.mistakes import MISTAKES

ACCEPTED, REFUSED, UNAVAILABLE = "accepted", "refused", "unavailable"
_LOOK_EVERY_S = 0.02


class TellingClocks:
    """The machine's clocks; what was read last is known, and they can be moved on."""

    def __init__(self) -> None:
        self.read_at = 0.0
        self.slept_s = self.set_by_s = 0.0

    def boottime(self) -> float:
        """Read the clock that goes on in sleep."""
        self.read_at = SYSTEM.boottime()
        return self.read_at + self.slept_s

    def wall(self) -> float:
        """Read the wall clock."""
        return SYSTEM.wall() + self.slept_s + self.set_by_s


class Watch:
    """The tokens that are looked at, and what is seen of them."""

    def __init__(self, verifier: Verifier, clocks: TellingClocks) -> None:
        self._verifier = verifier
        self._clocks = clocks
        self._looking: set[asyncio.Task[None]] = set()

    def order(self, word: str, *about: str) -> None:
        """Carry out one line of orders."""
        if word == "watch":
            self._looking.add(asyncio.create_task(self._look_at(*about)))
        elif word == "sleep":
            self._clocks.slept_s += float(about[0])
        elif word == "set":
            self._clocks.set_by_s += float(about[0])
        else:
            raise ValueError(word)
        _say("done", "0", SYSTEM.boottime())

    async def _look_at(self, name: str, token: str) -> None:
        while True:
            outcome = await self._outcome(token)
            _say(name, outcome, self._clocks.read_at)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _outcome(self, token: str) -> str:
        try:
            await self._verifier.verify(token)
        except InvalidToken:
            return REFUSED
        except Unavailable:
            return UNAVAILABLE
        return ACCEPTED


async def main(urls: str, key: str, mistake: str = "") -> None:
    """
    Verify until nobody gives orders any more.

    Args:
        urls: of the nodes, with commas between them.
        mistake: the name of one of `MISTAKES`.
    """
    if mistake:
        sdk.Lease = MISTAKES[mistake]  # type: ignore[attr-defined]
    logging.disable(logging.CRITICAL)  # losing touch is what is wanted here
    clocks = TellingClocks()
    surroundings = Surroundings(clocks=Clocks(clocks.boottime, clocks.wall))
    async with Verifier(urls.split(","), key=key, surroundings=surroundings) as verifier:
        watch = Watch(verifier, clocks)
        async for words in _orders():
            watch.order(*words)


async def _orders() -> AsyncIterator[list[str]]:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line.decode().split()


def _say(name: str, outcome: str, at: float) -> None:
    sys.stdout.write(f"{name} {outcome} {at:.6f}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
