"""Waiting for the disk: one thread syncs for all who wait, and those who come meanwhile share the next sync."""

import asyncio
import threading

from keybearer.reporting.segment import Unwritable
from keybearer.reporting.spool import Spool

_Waiter = tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]


class Syncing:
    """
    Tells when what was appended to a spool is on the disk.

    A sync that fails is never tried again: the system may have dropped what it could not write, and say nothing of it
    the second time. From then on nothing is safe here.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._change = threading.Condition()
        self._wanted = 0
        self._synced = 0
        self._trouble: Unwritable | None = None
        self._is_closed = False
        self._waiters: list[_Waiter] = []
        self._thread: threading.Thread | None = None

    def want(self, appended: int) -> None:
        """Have the first *appended* lines synced soon."""
        with self._change:
            self._ask(appended)

    def wait(self, appended: int) -> None:
        """
        Return when the first *appended* lines are on the disk; for threads.

        Raises:
            Unwritable: they may not be.
        """
        with self._change:
            self._ask(appended)
            self._change.wait_for(lambda: self._synced >= appended or self._trouble or self._is_closed)
            if self._synced < appended:
                raise self._why()

    async def reached(self, appended: int) -> None:
        """
        Return when the first *appended* lines are on the disk; for event loops.

        Raises:
            Unwritable: they may not be.
        """
        loop = asyncio.get_running_loop()
        with self._change:
            if self._synced >= appended:
                return
            if self._trouble or self._is_closed:
                raise self._why()
            future = loop.create_future()
            self._waiters.append((appended, loop, future))
            self._ask(appended)
        await future

    def close(self) -> None:
        """End the thread; whoever still waits is told that it cannot be known."""
        with self._change:
            self._is_closed = True
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _ask(self, appended: int) -> None:
        if appended <= self._wanted or self._is_closed:
            return
        self._wanted = appended
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="keybearer-spool", daemon=True)
            self._thread.start()
        self._change.notify_all()

    def _work(self) -> None:
        while self._has_work():
            try:
                synced, trouble = self._spool.sync(), None
            except Unwritable as error:
                synced, trouble = 0, error
            with self._change:
                self._synced, self._trouble = max(self._synced, synced), trouble
                self._change.notify_all()
                self._tell()
        with self._change:
            self._is_closed = True
            self._tell()

    def _has_work(self) -> bool:
        with self._change:
            self._change.wait_for(lambda: self._wanted > self._synced or self._is_closed)
            return not self._is_closed and self._trouble is None

    def _tell(self) -> None:
        """Wake the event loops whose lines are on the disk, or will never be: each loop once."""
        why = None if self._trouble is None and not self._is_closed else self._why()
        waiting: list[_Waiter] = []
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for waiter in self._waiters:
            appended, loop, future = waiter
            if appended <= self._synced or why:
                by_loop.setdefault(loop, []).append(future)
            else:
                waiting.append(waiter)
        self._waiters = waiting
        for loop, futures in by_loop.items():
            loop.call_soon_threadsafe(_resolve, futures, why)

    def _why(self) -> Unwritable:
        return self._trouble or Unwritable("the spool is closed")


def _resolve(futures: list[asyncio.Future[None]], why: Unwritable | None) -> None:
    for future in futures:
        if future.done():
            continue  # whoever waited has given up
        if why is None:
            future.set_result(None)
        else:
            future.set_exception(why)
