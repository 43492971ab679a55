"""A thread that runs an event loop: what a synchronous verifier has its work done in."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock
from typing import Any, Final, TypeVar

import httpcore2  # noqa: F401 - httpx2 would do so in the thread, and bring trio in, which cannot be beside gevent there

from keybearer.reporting.real_threads import replaced, start_thread

NAME: Final = "keybearer"

Result = TypeVar("Result")


class LoopThread:
    """
    Runs an event loop until it is stopped.

    The loop is made in its thread, to which gevent's ways of waiting belong; that moment is waited for as the system
    waits, because other greenlets could ask for another thread meanwhile.

    Raises:
        OSError: there can be no more files.
        RuntimeError: there can be no more threads.
    """

    def __init__(self) -> None:
        self._made: list[asyncio.AbstractEventLoop | OSError] = []
        self._is_made = (replaced("_thread", "allocate_lock") or Lock)()
        self._is_made.acquire()
        self._done = start_thread(self._work, NAME)
        self._is_made.acquire()
        made = self._made[0]
        if isinstance(made, OSError):
            raise made
        self._loop = made

    def begin(self, work: Coroutine[Any, Any, Result]) -> "Future[Result]":
        """Have *work* done there; return what has its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def end(self, last: Coroutine[Any, Any, None], longest_s: float) -> None:
        """Have this *last* work done, and end; from another thread that is waited for, *longest_s* seconds at most."""
        self.begin(last).add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._loop.stop))
        if not self._is_here():
            with suppress(TimeoutError):
                self._done.result(longest_s)

    def _work(self) -> None:
        try:
            loop = asyncio.new_event_loop()
            self._made.append(loop)
        except OSError as error:
            self._made.append(error)
            return
        finally:
            self._is_made.release()
        try:
            loop.run_forever()
            if replaced("_thread", "start_new_thread"):  # what looks up addresses there is a greenlet of this thread's
                loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()

    def _is_here(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False
