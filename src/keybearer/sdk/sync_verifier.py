"""The synchronous verifier: the asynchronous one in a thread; known tokens are answered without it."""

import concurrent.futures
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from keybearer.reporting import forks
from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.sdk import forking
from keybearer.sdk.errors import Unavailable
from keybearer.sdk.loop_thread import LoopThread
from keybearer.sdk.session import MACHINE, Surroundings
from keybearer.sdk.verifier import Verifier
from keybearer.wire.principal import Principal
from keybearer.wire.quota import Left

_LONGEST_S: Final = 10.0

Result = TypeVar("Result")


class SyncVerifier:
    """
    Tells who acts by a token, from any thread; in microseconds for one that it has seen before.

    One thread in the background follows the server and is the only one that takes anything in; all others only look.
    It starts by itself at the first token, or with ``with``, and again in each process that is forked.

    Args:
        url: the server's address, or one for each of its nodes.
        key: a resource server's key.
        insecure: let plain HTTP through to other machines.
        most_tokens: how many are kept in memory at most.
        surroundings: another network or other clocks than the machine's.

    Raises:
        ValueError: an address is malformed, or *key* is not a resource server's key.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        key: str,
        insecure: bool = False,
        most_tokens: int = 1_000_000,
        surroundings: Surroundings = MACHINE,
    ) -> None:
        self._verifier = Verifier(
            url,
            key=key,
            insecure=insecure,
            most_tokens=most_tokens,
            surroundings=surroundings,
        )
        self._clock = surroundings.clocks.boottime
        self._starting = threading.Lock()
        self._thread: LoopThread | None = None
        self._ending: weakref.finalize[Any, Any] | None = None
        forking.reset_in_child(self)

    def __enter__(self) -> Self:
        self._run(self._verifier.__aenter__)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def reporting(self, activity: ActivityLog) -> Self:
        """
        Have the framework's layer report every call with a known token; called once, before the first call.

        Raises:
            ValueError: the log's folder cannot be written.
        """
        self._verifier.reporting(activity)
        return self

    def verify(self, token: str) -> Principal:
        """
        Return who acts by *token*, the text behind ``Bearer`` as it was sent.

        Raises:
            InvalidToken: nobody does: answer 401.
            Unavailable: it cannot be known at the moment: answer 503.
        """
        principal = self._verifier.known(token)
        if principal is not None:
            return principal
        return self._run(lambda: self._verifier.ask(token)).principal(self._clock)

    def known(self, token: str) -> Principal | None:
        """Return who acts by *token* if that is known here, now and for certain; None: `verify` has to ask."""
        return self._verifier.known(token)

    def count(self, principal: Principal) -> Left:
        """
        Count one call of a principal, and return what it leaves of the rate limit; each call is counted once.

        Raises:
            RateLimited: the call must not be made: answer 429.
            Unavailable: nobody can say whether it may be: answer 503.
        """
        left = self._verifier.counted(principal)
        return left if left is not None else self._run(lambda: self._verifier.count(principal))

    def counted(self, principal: Principal) -> Left | None:
        """Count one call if a call is in hand; None: `count` has to ask, and nothing was counted."""
        return self._verifier.counted(principal)

    @property
    def reporter(self) -> Reporter | None:
        """What records calls; None: nothing does. Raises `Unwritable` where they cannot be."""
        return self._verifier.reporter

    @property
    def is_ready(self) -> bool:
        """Whether known tokens are verified without asking: from the first answer of a node, while the lease lasts."""
        if not self._verifier.is_ready and not self._verifier.is_closed:
            self._run(self._verifier.__aenter__)  # it may not have started yet in this process
        return self._verifier.is_ready

    def ready(self, timeout_s: float | None = None) -> None:
        """
        Wait until `is_ready`.

        Raises:
            Unavailable: that took longer than *timeout_s* seconds.
        """
        self._run(lambda: self._verifier.ready(timeout_s), None)

    def valid_until(self, principal: Principal) -> float:
        """Return until when a principal may be relied on if nothing more is heard: seconds, on `now`'s clock."""
        return self._verifier.valid_until(principal)

    def now(self) -> float:
        """Return the moment on the clock of `valid_until`."""
        return self._clock()

    @property
    def recheck_s(self) -> float:
        """How long a call that lasts may go on before `verify` is asked again: half a lease."""
        return self._verifier.recheck_s

    def close(self) -> None:
        """End it, and its thread: nothing is accepted any more."""
        with self._starting:
            if self._ending is not None:
                self._ending()
            self._thread = self._ending = None
            self._verifier.shut()

    def reset_after_fork(self) -> object:
        """Begin anew in a child process; the parent's thread is not there."""
        parents = (self._thread, self._ending)
        if self._ending is not None:
            self._ending.detach()
        self._starting = threading.Lock()
        self._thread = self._ending = None
        return parents

    def _run(self, work: Callable[[], Coroutine[Any, Any, Result]], longest_s: float | None = _LONGEST_S) -> Result:
        """Run *work* in the thread, and wait for its result."""
        forks.notice()
        with self._starting:  # or `close` could end the thread before the work is handed over
            future = self._started().begin(work())
        try:
            return future.result(longest_s)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise Unavailable("the verifier's thread does not get on") from None
        except concurrent.futures.CancelledError:
            raise Unavailable("the verifier was closed") from None

    def _started(self) -> LoopThread:
        """Return the thread, begun if there is none; the caller holds `_starting`."""
        if self._thread is None:
            self._thread = LoopThread()
            self._ending = weakref.finalize(self, _end, self._verifier, self._thread, os.getpid())
        return self._thread


def _end(verifier: Verifier, thread: LoopThread, process: int) -> None:
    """End a verifier's thread: when it is closed, when nobody has the verifier any more, or when its process ends."""
    if process == os.getpid():  # else it is the parent's, and nobody said that there was a fork
        thread.end(verifier.close(), _LONGEST_S)
