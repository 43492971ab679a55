"""Waiting for the disk: one thread syncs for all who wait, and those who come meanwhile share the next sync."""

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
from typing import Final

from keybearer.reporting.real_threads import start_thread
from keybearer.reporting.segment import Unwritable
from keybearer.reporting.spool import Spool

_LOG: Final = logging.getLogger("keybearer")


class Syncing:
    """
    Tells when what was appended to a spool is on the disk.

    A sync that fails is never tried again: the system may have dropped what it could not write, and say nothing of it
    the second time. From then on nothing is safe here; another spool may be, of which this process then has the life.

    Args:
        spool: its lines up to those that it has now are another's before it, and no word of them is good.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._unsafe = spool.appended
        self._change = threading.Condition()
        self._is_wanted = False
        self._synced = 0
        self._trouble: Unwritable | None = None
        self._is_closed = False
        self._waiting: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        self._thread: concurrent.futures.Future[None] | None = None

    @property
    def trouble(self) -> Unwritable | None:
        """Why nothing is safe here any more; None if it is."""
        return self._trouble

    def want(self) -> None:
        """Have what was appended synced soon."""
        with self._change:
            self._want()

    def wait(self, appended: int) -> None:
        """
        Return when the first *appended* lines are on the disk; for threads.

        Raises:
            Unwritable: they may not be.
        """
        with self._change:
            self._demand_own(appended)
            self._want()
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
            self._demand_own(appended)
            if self._synced >= appended:
                return
            if self._trouble or self._is_closed:
                raise self._why()
            self._start()
            future = loop.create_future()
            if loop not in self._waiting:
                self._waiting[loop] = []
                loop.call_soon(self.want)  # behind whatever else this turn of the loop appends
            self._waiting[loop].append(future)
        await future

    def close(self) -> None:
        """End the thread; whoever still waits is told that it cannot be known."""
        with self._change:
            self._is_closed = True
            self._change.notify_all()
        if self._thread is not None:
            self._thread.result()
        self._give_up()

    def _demand_own(self, appended: int) -> None:
        if appended <= self._unsafe:
            raise Unwritable("the disk did not take what was recorded before")

    def _want(self) -> None:
        if not self._is_closed and (self._spool.appended > self._synced or self._waiting):
            self._start()
            self._is_wanted = True
            self._change.notify_all()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = start_thread(self._work, "keybearer-spool")

    def _work(self) -> None:
        while self._has_work():
            with self._change:
                self._is_wanted = False
                waiting, self._waiting = self._waiting, {}  # what they wait for was appended before they came
            try:
                synced, trouble = self._spool.sync(), None
            except Unwritable as error:
                synced, trouble = 0, error
                _LOG.error("what is recorded may not get to the disk: %s", error)
            with self._change:
                self._synced, self._trouble = max(self._synced, synced), trouble
                self._change.notify_all()
            _tell(waiting, trouble)
        self._give_up()

    def _has_work(self) -> bool:
        with self._change:
            self._change.wait_for(lambda: self._is_wanted or self._is_closed or self._trouble)
            return not self._is_closed and self._trouble is None

    def _give_up(self) -> None:
        with self._change:
            self._is_closed = True
            waiting, self._waiting = self._waiting, {}
        _tell(waiting, self._why())

    def _why(self) -> Unwritable:
        return Unwritable(str(self._trouble or "the spool is closed"))


def _tell(waiting: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]], why: Unwritable | None) -> None:
    """Wake those whose lines are on the disk, or will never be: each event loop once."""
    for loop, futures in waiting.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits there any more
            loop.call_soon_threadsafe(_resolve, futures, why)


def _resolve(futures: list[asyncio.Future[None]], why: Unwritable | None) -> None:
    for future in futures:
        if future.done():
            continue  # whoever waited has given up
        if why is None:
            future.set_result(None)
        else:
            future.set_exception(Unwritable(str(why)))
