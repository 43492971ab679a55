"""Several workers under a first process, none of which can hold up the others' end by hanging."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess, Process

_LOOK_EVERY_S: Final = 0.5
_TO_END: Final = frozenset({signal.SIGINT, signal.SIGTERM})

_LOG = structlog.get_logger("keybearer.workers")


class Workers(Multiprocess):
    """
    uvicorn's supervisor, which waits for a worker that was asked to end for as long as that takes.

    One that hangs (it is stopped, or its event loop never comes back) would keep the server from ending, and SIGHUP
    from going on to the next worker; and while the first process waits, it replaces no worker that dies. So that one is
    killed here.

    Args:
        end_within_s: how long a worker may take to end.
    """

    def __init__(self, config: uvicorn.Config, listener: socket.socket, end_within_s: float) -> None:
        super().__init__(config, [listener])
        self._end_within_s = end_within_s

    def terminate_all(self) -> None:
        """Ask all workers to end, and listen no more: else clients would wait, unanswered, until the last has ended."""
        super().terminate_all()
        for listener in self.sockets:
            listener.close()

    def join_all(self) -> None:
        """Wait until all workers have ended."""
        with self._ending_in_time():
            super().join_all()

    def restart_all(self) -> None:
        """Replace one worker after the other."""
        with self._ending_in_time():
            super().restart_all()

    @contextmanager
    def _ending_in_time(self) -> Iterator[None]:
        is_over = threading.Event()
        watch = threading.Thread(target=self._kill_late, args=[is_over], daemon=True)
        watch.start()
        try:
            yield
        finally:
            is_over.set()
            watch.join()

    def _kill_late(self, is_over: threading.Event) -> None:
        """Kill each worker that has not ended in time, until *is_over*; once the end is asked for, replace none."""
        asked_at: dict[Process, float] = {}
        while not is_over.wait(_LOOK_EVERY_S):
            if not _TO_END.isdisjoint(self.signal_queue):
                self.should_exit.set()  # signals are looked at once this is over, which may take minutes
            now = time.monotonic()
            asked = [each for each in self.processes if each.parent_conn.closed]  # uvicorn closes it when it asks them
            for worker in asked:
                if now - asked_at.setdefault(worker, now) > self._end_within_s and worker.process.is_alive():
                    _LOG.error("a worker does not end, and is killed", worker=worker.pid)
                    worker.process.kill()
