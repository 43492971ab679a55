"""Proof that this node's PostgreSQL is still the one that acknowledges: a commit that its quorum lets through."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from keybearer.server.fault_log import FaultLog
from keybearer.server.shared_runs import SharedRuns
from keybearer.server.store.database import Database
from keybearer.server.store.faults import StoreFault, StoreUnavailable

EVERY_S: Final = 0.25
PATIENCE_S: Final = 1.0  # with the store: a verifier waits two seconds, then asks another node
_GOOD_FOR_S: Final = 1.0  # beyond, whoever asks waits for the next: a lease that is born old is of little use

_LOG = structlog.get_logger("keybearer.barrier")


@dataclass(frozen=True, slots=True)
class Proof:
    """
    A barrier that was passed: a snapshot of that lineage, taken later, has all that was acknowledged before.

    Args:
        at: when it was begun; seconds, BOOTTIME.
    """

    epoch: str
    at: float


class Barrier:
    """
    Passes barriers while somebody asks, at most four a second, each for all who wait at the moment.

    A primary that was fenced, or cut off from its standbys, passes none. So a snapshot taken from it counts as begun
    with the last barrier that it passed, which was before another took its place.

    Args:
        boottime: seconds that go on while the machine sleeps.
        lease_s: how old the last barrier may be before nothing is answered any more.

    Source: coherence.md 5.3, N1 (b).
    """

    def __init__(self, database: Database, boottime: Callable[[], float], lease_s: float) -> None:
        self._database = database
        self._boottime = boottime
        self._lease_s = lease_s
        self._begun_at = -math.inf
        self._closed = FaultLog(_LOG, "no barrier was passed")
        self._last = Proof("", -math.inf)
        self._barriers = SharedRuns(self._pass, "barrier", lambda: self._begun_at + EVERY_S - boottime())

    @property
    def last(self) -> Proof:
        """The last barrier that was passed."""
        return self._last

    async def keep_up(self) -> None:
        """
        See that the last barrier is young, without waiting for it where it is young enough.

        Raises:
            StoreUnavailable: none was passed within the lease.
        """
        age_s = self._boottime() - self._last.at
        if age_s <= EVERY_S:
            return
        coming = self._barriers.coming()
        if age_s <= _GOOD_FOR_S:
            return
        try:
            await self._wait_for(coming)
        except StoreUnavailable:
            if self._boottime() - self._last.at > self._lease_s:
                raise

    async def passed(self) -> Proof:
        """
        Wait until a barrier is passed that was begun after this call, and return it.

        Raises:
            StoreUnavailable: the quorum does not answer.
        """
        await self._wait_for(self._barriers.coming())
        return self._last

    async def _wait_for(self, coming: asyncio.Task[None]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.shield(coming)
        except (StoreFault, TimeoutError) as fault:
            raise StoreUnavailable("PostgreSQL has not proved that it is still the one that acknowledges") from fault

    async def _pass(self) -> None:
        begun_at = self._begun_at = self._boottime()
        try:
            epoch = await self._database.pass_barrier()
        except StoreFault as fault:
            self._closed.failed(fault)
            raise
        self._closed.recovered()
        self._last = Proof(epoch, begun_at)
