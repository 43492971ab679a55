"""Runs of one piece of work that callers share: those who ask while it runs share the next run."""

import asyncio
from collections.abc import Awaitable, Callable


class SharedRuns:
    """
    Does *work* again and again, one run at a time; a caller's run begins after the caller has asked.

    Args:
        name: of the tasks.
        pause_s: seconds to wait before a run begins; those who ask meanwhile share it.
    """

    def __init__(
        self, work: Callable[[], Awaitable[None]], name: str, pause_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._work = work
        self._name = name
        self._pause_s = pause_s
        self._turn = asyncio.Lock()
        self._coming: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def coming(self) -> asyncio.Task[None]:
        """Return the run that has not begun yet; shield it, so that it goes on when those who wait for it do not."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._run(), name=self._name)
            self._tasks.add(self._coming)
            self._coming.add_done_callback(self._ended)
        return self._coming

    async def close(self) -> None:
        """Cancel all runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        async with self._turn:
            if (pause_s := self._pause_s()) > 0:
                await asyncio.sleep(pause_s)
            self._coming = None
            await self._work()

    def _ended(self, run: asyncio.Task[None]) -> None:
        """Forget the run, and look at its exception, in case everybody who waited for it has gone."""
        self._tasks.discard(run)
        if run is self._coming:  # cancelled before it began
            self._coming = None
        if not run.cancelled():
            run.exception()
