"""The asynchronous verifier: whose token is this, and what may it do now?"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, Self

from keybearer.reporting import forks
from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.segment import Unwritable
from keybearer.sdk import forking
from keybearer.sdk.asking import Seen
from keybearer.sdk.digests import sha256
from keybearer.sdk.errors import InvalidToken, RateLimited, Unavailable
from keybearer.sdk.judging import wanted_by
from keybearer.sdk.nodes import checked_urls
from keybearer.sdk.session import MACHINE, Session, Surroundings
from keybearer.sdk.streams import while_valid
from keybearer.verify.granted_calls import GrantedCalls
from keybearer.verify.lease import Lease
from keybearer.verify.mirror import Mirror, Mirrored
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.principal import Principal
from keybearer.wire.quota import Left

_LAST_REPORT_S: Final = 2.0  # how long an end waits for what is still to be reported
_TRIES: Final = 100  # each fails only if others took what was granted meanwhile
_NOT_YET_TOLD_S: Final = 2.0  # how old an answer may be until a node has said how long its answers may be believed


class Verifier:
    """
    Tells who acts by a token; in microseconds for one that it has seen before.

    It starts by itself at the first token, or with ``async with``; it belongs to the event loop in which it started.

    Args:
        url: the server's address, or one for each of its nodes.
        key: a resource server's key, as `keybearer resource-server add` prints it; it says which environment's tokens
            are accepted.
        insecure: let plain HTTP through to other machines; whoever is on the way then reads the key.
        most_tokens: how many are kept in memory at most, at some 450 to 550 bytes each.
        surroundings: another network (a proxy, certificates of one's own) or other clocks than the machine's.

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
        self._urls = checked_urls(url, is_insecure=insecure)
        self._key = key
        self._wanted = wanted_by(key)
        self._most_tokens = most_tokens
        self._surroundings = surroundings
        self._clock = surroundings.clocks.boottime
        self._activity: ActivityLog | None = None
        self._reporter: Reporter | None = None
        self._reporting = threading.Lock()
        self._is_closed = False
        self._begin_anew()
        forking.reset_in_child(self)

    async def __aenter__(self) -> Self:
        self._is_closed = False
        self._begin_reporting()
        self._running()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def reporting(self, activity: ActivityLog) -> Self:
        """
        Have the framework's layer report every call with a known token; called once, before the first call.

        Raises:
            ValueError: the log's folder cannot be written.
        """
        self._activity = activity
        self._begin_reporting()
        return self

    @property
    def reporter(self) -> Reporter | None:
        """
        What records calls; None: nothing does.

        Raises:
            Unwritable: calls are to be recorded, and cannot be in this process, which was forked.
        """
        if self._activity is None:
            return None
        forks.notice()
        if self._reporter is None:
            try:
                self._begin_reporting()
            except ValueError as error:
                raise Unwritable(str(error)) from error
        return self._reporter

    async def verify(self, token: str) -> Principal:
        """
        Return who acts by *token*, the text behind ``Bearer`` as it was sent.

        Raises:
            InvalidToken: nobody does: answer 401.
            Unavailable: it cannot be known at the moment: answer 503.
        """
        try:
            principal = self._known(sha256(token.encode()).digest(), self._clock)
        except UnicodeEncodeError:
            raise InvalidToken(Denial(Reason.MALFORMED)) from None
        return principal if principal is not None else (await self.ask(token)).principal(self._clock)

    def known(self, token: str) -> Principal | None:
        """Return who acts by *token* if that is known here, now and for certain; None: `verify` has to ask."""
        try:
            return self._known(sha256(token.encode()).digest(), self._clock)
        except UnicodeEncodeError:
            return None

    async def ask(self, token: str) -> Seen:
        """Return what a node says of a token that is not known here."""
        fault = self._wanted.fault_of(token)
        if fault is not None:
            return Seen(fault, 0.0)
        return await self._running().ask(sha256(token.encode()).digest(), self._wanted)

    async def count(self, principal: Principal) -> Left:
        """
        Count one call of a principal, and return what it leaves of the rate limit; each call is counted once.

        The limit is the server's, for all APIs together; most calls ask nobody. While no node answers, a few are let
        through and counted later, until the lease is out.

        Raises:
            RateLimited: the call must not be made: answer 429.
            Unavailable: nobody can say whether it may be: answer 503.
        """
        left = self.counted(principal)
        return left if left is not None else await self._count_online(principal.user_id, principal.team_id)

    def counted(self, principal: Principal) -> Left | None:
        """Count one call if a call is in hand; None: `count` has to ask, and nothing was counted."""
        return self._granted.spend(principal.user_id, principal.team_id, self._clock())

    @property
    def is_ready(self) -> bool:
        """Whether known tokens are verified without asking: from the first answer of a node, while the lease lasts."""
        return not self._lease.is_out(self._clock())

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called: nothing is accepted, and nothing started, before it is opened again."""
        return self._is_closed

    async def ready(self, timeout_s: float | None = None) -> None:
        """
        Wait until `is_ready`.

        Raises:
            Unavailable: that took longer than *timeout_s* seconds, or it was closed meanwhile.
        """
        session = self._running()
        try:
            async with asyncio.timeout(timeout_s):
                while not self.is_ready:
                    await session.news()
                    session = self._running()
        except TimeoutError:
            raise Unavailable(session.trouble or "the server has not answered yet") from None

    def valid_until(self, principal: Principal) -> float:
        """Return until when a principal may be relied on if nothing more is heard: seconds, on `now`'s clock."""
        return self._lease.valid_until(principal)

    def now(self) -> float:
        """Return the moment on the clock of `valid_until`."""
        return self._clock()

    @property
    def recheck_s(self) -> float:
        """How long a call that lasts may go on before its token is looked at again: half a lease."""
        return self._lease.lease_s / 2

    def while_valid(self, token: str, *permissions: str) -> AbstractAsyncContextManager[Principal]:
        """
        Run the block for as long as *token* is accepted and has the *permissions*; for streams and other long calls.

        Raises:
            InvalidToken, Unavailable, Forbidden: at the beginning, or out of the block, which is cancelled then.
        """
        return while_valid(self, token, permissions)

    async def close(self) -> None:
        """End it: nothing is accepted any more; what could not be reported is left to the next process."""
        session, reporter = self._session, self._reporter
        self.shut()
        if session is not None and session.loop is asyncio.get_running_loop():
            if reporter is not None:
                await reporter.flush(_LAST_REPORT_S)
            await session.close()
        if reporter is not None:
            reporter.close()

    def shut(self) -> None:
        """Accept nothing any more; `close` ends what is under way, too."""
        with self._reporting:
            self._is_closed = True
            self._reporter = None
        self._begin_anew()

    def reset_after_fork(self) -> object:
        """Begin anew in a child process; return what is the parent's and must not be touched, not even to close it."""
        parents = (self._session, self._lease, self._reporter)
        if self._reporter is not None:
            self._reporter.leave_to_parent()
        self._reporter = None  # until somebody asks for it: a disk that is full must not keep the rest from being reset
        self._reporting = threading.Lock()
        self._begin_anew()
        return parents

    def _begin_anew(self) -> None:
        self._lease = Lease(Mirror(self._most_tokens), _NOT_YET_TOLD_S)
        self._known: Callable[[bytes, Callable[[], float]], Mirrored | None] = self._lease.known
        self._granted = GrantedCalls()
        self._session: Session | None = None

    def _begin_reporting(self) -> None:
        with self._reporting:
            if self._activity is None or self._reporter is not None or self._is_closed:
                return
            self._reporter = Reporter(self._activity, lambda: int(self._surroundings.clocks.wall() * 1_000_000))
            if self._session is not None:
                self._session.loop.call_soon_threadsafe(self._session.report, self._reporter)

    async def _count_online(self, user_id: int, team_id: int) -> Left:
        for _ in range(_TRIES):
            wait_s = self._granted.wait_s(user_id, team_id, self._clock())
            if wait_s > 0:
                raise RateLimited(self._granted.limit, wait_s, self._surroundings.clocks.wall())
            why = await self._running().ask_for_call(user_id, team_id)
            if why is not None:
                return self._lent(user_id, team_id, why)
            left = self._granted.spend(user_id, team_id, self._clock())
            if left is not None:
                return left
        raise Unavailable("others were always faster")

    def _lent(self, user_id: int, team_id: int, why: str) -> Left:
        """Let a call through that could not be counted; while the lease lasts, and not many of them."""
        now = self._clock()
        left = None if self._lease.is_out(now) else self._granted.lend(user_id, team_id, now)
        if left is None:
            raise Unavailable(why)
        return left

    def _running(self) -> Session:
        """Return the session of this event loop, begun if there is none."""
        forks.notice()
        if self._is_closed:
            raise Unavailable("the verifier is closed")
        loop = asyncio.get_running_loop()
        if self._session is not None and self._session.loop is not loop:
            if not self._session.loop.is_closed():
                raise RuntimeError("a Verifier belongs to one event loop; use SyncVerifier from several threads")
            self._begin_anew()
        if self._session is None:
            self._session = Session(self._urls, self._key, self._lease, self._granted, self._surroundings)
            if self._reporter is not None:
                self._session.report(self._reporter)
        return self._session
