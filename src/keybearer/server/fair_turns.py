"""Turns at what few may do at once: sources take them in rotation, however many wait of each."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairTurns:
    """
    Lets a few work at once; the next turn is for the source that has waited longest for one, not for who came first.

    Whoever is alone of their source waits for one turn of each other source, and not for all who crowd there.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # the source whose turn is next stands first

    @asynccontextmanager
    async def turn(self, source: str) -> AsyncIterator[None]:
        """
        Wait for a turn, and have it while the block lasts.

        Args:
            source: who waits, as an address; '' for those who need not be told apart.
        """
        await self._wait(source)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, source: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(source, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had just been given
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give a turn to the source that stands first, and have it stand last."""
        while self._waiting:
            source = next(iter(self._waiting))
            queue = self._waiting.pop(source)
            turn = queue.popleft()
            if queue:
                self._waiting[source] = queue
            if not turn.done():  # else whoever waited has gone
                turn.set_result(None)
                return
        self._free += 1
