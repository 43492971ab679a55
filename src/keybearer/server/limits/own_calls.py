"""Counts the calls at this process's own endpoints, as every verifier counts those of its API."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from keybearer.server.limits.rate_limits import RateLimits
from keybearer.server.shared_runs import SharedRuns
from keybearer.server.store.faults import StoreFault
from keybearer.verify.granted_calls import GrantedCalls
from keybearer.wire.principal import Principal
from keybearer.wire.quota import Left
from keybearer.wire.token_text import ENVIRONMENTS

_SETTLE_AFTER_S: Final = 0.2
_TRIES: Final = 100  # each is lost only if others took what was granted meanwhile

_LOG = structlog.get_logger("keybearer.rate_limits")


class LimitUsedUp(Exception):
    """
    No call is left.

    Args:
        wait_s: seconds until there is one again.
    """

    def __init__(self, limit: int, wait_s: float) -> None:
        super().__init__()
        self.limit = limit
        self.wait_s = wait_s


class OwnCalls:
    """
    Counts calls out of those that the store has granted, in each environment, and has more granted.

    Args:
        boottime: seconds that nobody can set.
    """

    def __init__(self, limits: RateLimits, boottime: Callable[[], float]) -> None:
        self.limits = limits
        self._boottime = boottime
        self._granted = {environment: GrantedCalls() for environment in ENVIRONMENTS}
        self._fillings = SharedRuns(self._fill, "rate-limits")
        self._settling: asyncio.TimerHandle | None = None

    async def count(self, principal: Principal) -> Left:
        """
        Count one call, and return what it leaves.

        Raises:
            LimitUsedUp: it must not be made.
            StoreFault: nobody can say.
        """
        for _ in range(_TRIES):
            if left := self.count_held(principal):
                return left
            await self._have_more(principal)
        raise LimitUsedUp(self.limits.terms.limit, 1.0)

    def count_held(self, principal: Principal) -> Left | None:
        """Count one call out of those in hand, and return what it leaves; None, and nothing is counted, without any."""
        granted = self._granted[principal.environment]
        left = granted.spend(principal.user_id, principal.team_id, self._boottime())
        if left is not None and self._settling is None and granted.is_wanting:
            self._settling = asyncio.get_running_loop().call_later(_SETTLE_AFTER_S, self._settle)
        return left

    async def _have_more(self, principal: Principal) -> None:
        """Ask for calls that may be made, unless it is known that there are none."""
        user_id, team_id, granted = principal.user_id, principal.team_id, self._granted[principal.environment]
        wait_s = granted.wait_s(user_id, team_id, self._boottime())
        if wait_s > 0:
            raise LimitUsedUp(self.limits.terms.limit, wait_s)
        granted.want(user_id, team_id)
        await asyncio.shield(self._fillings.coming())

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[None]:
        """Ask the store ahead of need, and keep its clock going, while the block lasts."""
        try:
            async with self.limits.beating():
                yield
        finally:
            if self._settling is not None:
                self._settling.cancel()
            await self._fillings.close()

    def _settle(self) -> None:
        self._settling = None
        self._fillings.coming()

    async def _fill(self) -> None:
        """Take from the store what is wanted."""
        try:
            for environment, granted in self._granted.items():
                asked_at = self._boottime()
                if wants := granted.wants(asked_at):
                    grants = await self.limits.take(wants, environment)
                    granted.take_in(self.limits.terms, grants, asked_at, self._boottime())
        except StoreFault:
            raise
        except Exception:
            _LOG.exception("calls could not be counted")  # perhaps nobody waits for this run
            raise
