"""Turns at what few may do at once: places take them one after the other, however many wait at each."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairTurns:
    """
    Lets a few work at once; of those who wait the place goes on that has waited longest for a turn, not who came first.

    Whoever comes from a place of their own waits for one turn of each other place, and not for all who crowd there.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # the place whose turn is next stands first

    @asynccontextmanager
    async def turn(self, whence: str) -> AsyncIterator[None]:
        """
        Wait for a turn, and have it while the block lasts.

        Args:
            whence: the place; '' for those who need not be told apart.
        """
        await self._wait(whence)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, whence: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(whence, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had just been given
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give a turn to the place that stands first, and have it stand last."""
        while self._waiting:
            whence = next(iter(self._waiting))
            queue = self._waiting.pop(whence)
            turn = queue.popleft()
            if queue:
                self._waiting[whence] = queue
            if not turn.done():  # else whoever waited has gone
                turn.set_result(None)
                return
        self._free += 1
