"""The rate limit of each user in each team: one for all nodes, their workers and the verifiers of APIs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from keybearer.server.clock import SECOND
from keybearer.server.fault_log import FaultLog
from keybearer.server.rules.quota import Chunk, beat_s, chunk, lent, life_s, slack
from keybearer.server.rules.shared_clock import SharedClock
from keybearer.server.settings import Rate
from keybearer.server.store import rate_limits
from keybearer.server.store.database import Database, Transaction
from keybearer.server.store.faults import StoreFault
from keybearer.wire.quota import Grant, Terms, Want

_LOOKED_EVERY: Final = 10 * SECOND  # while nobody counts
_SYNCED_EVERY: Final = 5 * SECOND  # what a power cut gives back at most

_LOG = structlog.get_logger("keybearer.rate_limits")


def slack_of(rate: Rate) -> int:
    """Return by how many calls a limit may be exceeded, not counting the one that each process holds in reserve."""
    limit, window_s = rate
    return slack(limit, window_s, 0)


def lent_of(rate: Rate) -> int:
    """Return how many calls of a user in a team a verifier lets through uncounted while no node answers."""
    return lent(rate[0])


class RateLimits:
    """
    Takes calls off the limits that the store keeps, for whoever counts them: this node's own doors, and verifiers.

    No call waits for a disk: what is taken is synced by the clock's next beat that waits for one, seconds later.
    What is regained goes by a clock that all nodes move on together (`rules/shared_clock`), while somebody counts.

    Args:
        boottime: seconds that go on while the machine sleeps, and that nobody can set.
    """

    def __init__(self, database: Database, boottime: Callable[[], float], rate: Rate) -> None:
        limit, window_s = rate
        self.terms = Terms(limit, float(window_s), life_s(window_s))
        self._database = database
        self._boottime = boottime
        self._rate = (limit, window_s * SECOND)
        self._beat_s = beat_s(window_s)
        self._clock = SharedClock(round(self._beat_s * SECOND))
        self._used_at = -self._rate[1]
        self._beaten_at = self._synced_at = self._looked_at = 0
        self._standstill = FaultLog(_LOG, "the clock of the rate limits stands still")

    async def take(self, wants: Sequence[Want], environment: str) -> list[Grant]:
        """
        Take calls off the limits of users in teams of this environment.

        Returns:
            one grant for each want, in their order; for somebody who is nobody there, one of no calls.

        Raises:
            StoreFault: nobody knows what is left, or whether something was taken.
        """
        now = await self._now()
        self._used_at = self._local()
        chunks = await self._database.transact_unsynced(self._take, wants, environment, now)
        return [self._grant(want, found) for want, found in zip(wants, chunks, strict=True)]

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Move the shared clock on while the block lasts and somebody counts; keep an eye on it while nobody does."""
        await self._look()
        task = asyncio.create_task(self._beat_again_and_again(), name="rate-clock")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _take(self, tx: Transaction, wants: Sequence[Want], environment: str, now: int) -> list[Chunk | None]:
        """
        Lock what is wanted, judge, and keep what follows.

        The row's lock decides a race. Rows are locked in one order, so that nobody waits for another in a circle.
        """
        taken: dict[tuple[int, int], Chunk] = {}
        for want in sorted(wants, key=_place):
            full_at = await rate_limits.lock(tx, want.user_id, want.team_id, environment)
            if full_at is not None:
                taken[_place(want)] = chunk(self._rate, full_at, now, want.calls)
        await rate_limits.put(tx, {place: found.full_at for place, found in taken.items() if found.calls})
        return [taken.get(_place(want)) for want in wants]

    def _grant(self, want: Want, found: Chunk | None) -> Grant:
        if found is None:
            return Grant(want.user_id, want.team_id, 0, 0, self.terms.window_s)
        return Grant(want.user_id, want.team_id, found.calls, found.remaining, found.retry_after / SECOND)

    def _local(self) -> int:
        return round(self._boottime() * SECOND)

    async def _now(self) -> int:
        """Return the reading of the shared clock, out of memory if it was looked at lately."""
        reading = self._clock.reading(self._local())
        return await self._beat() if reading is None else reading

    async def _beat(self, *, is_synced: bool = False) -> int:
        told = self._clock.beat(self._local())
        self._beaten_at = told.local
        transact = self._database.transact if is_synced else self._database.transact_unsynced
        at, beats = await transact(rate_limits.move_clock, told.at, told.beats, is_young=told.is_young)
        if is_synced:
            self._synced_at = told.local
        return self._clock.heard(told, at, beats, self._local())

    async def _beat_again_and_again(self) -> None:
        """Beat until everything that was taken here is regained; then look now and then."""
        while True:
            await asyncio.sleep(self._beat_s)
            local = self._local()
            if local - self._used_at <= self._rate[1] and local != self._beaten_at:
                with self._standstill.surviving(StoreFault):
                    await self._beat(is_synced=local - self._synced_at >= _SYNCED_EVERY)
            elif local - self._looked_at >= _LOOKED_EVERY:
                with self._standstill.surviving(StoreFault):
                    await self._look()

    async def _look(self) -> None:
        self._looked_at = self._local()
        at, beats = await rate_limits.read_clock(self._database)
        self._clock.seen(at, beats, self._local())


def _place(want: Want) -> tuple[int, int]:
    return want.user_id, want.team_id
