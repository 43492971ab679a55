"""Waits until nobody accepts what was revoked: every verifier has confirmed it, or the bound has passed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from keybearer.server.fault_log import FaultLog
from keybearer.server.feed.reader import FeedReader
from keybearer.server.records import Report
from keybearer.server.rules.spread import Spread, spread
from keybearer.server.store.faults import StoreFault
from keybearer.server.verifiers.known import Verifiers
from keybearer.server.verifiers.neighbours import EVERY_S, Neighbours
from keybearer.server.waiting import is_set_within

_MOST: Final = 256  # who wait at once; each is a connection held
_PATIENCE_S: Final = 1.0  # with the store; the bound goes on meanwhile
_SOONEST_S: Final = 0.02  # from one judgment to the next while verifiers confirm one after the other

_LOG = structlog.get_logger("keybearer.certainty")


@dataclass(frozen=True, slots=True)
class Mark:
    """
    A change that was acknowledged, and how far the feed reached then.

    Args:
        seq: None where that could not be read: then only the bound says when it is over.
        at: seconds of this machine's CLOCK_BOOTTIME.
    """

    epoch: str
    seq: int | None
    at: float


@dataclass(frozen=True, slots=True)
class _Waiter:
    mark: Mark
    is_certain: asyncio.Future[None]


class Certainty:
    """
    Waits, for all callers together, until a change has reached every verifier.

    If a verifier does not confirm it, the longest bound of any node is waited for: after that no verifier accepts
    anything that the change has ended.

    Args:
        boottime: seconds that go on while the machine sleeps.
        bound_s: S of coherence.md, of the verifiers that this node answers.

    Source: coherence.md 5.5, consequence (iii).
    """

    def __init__(
        self,
        feed: FeedReader,
        verifiers: Verifiers,
        neighbours: Neighbours,
        boottime: Callable[[], float],
        bound_s: float,
    ) -> None:
        self._feed = feed
        self._verifiers = verifiers
        self._neighbours = neighbours
        self._boottime = boottime
        self._bound_s = bound_s
        self._waiting: set[_Waiter] = set()
        self._watch: asyncio.Task[None] | None = None
        self._unknown = FaultLog(_LOG, "the other nodes' verifiers are not known")

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def mark(self) -> Mark:
        """Return a mark behind every change that was acknowledged until now."""
        at = self._boottime()
        try:
            head = await self._feed.fresh()
        except StoreFault:
            return Mark("", None, at)
        return Mark(head.epoch, head.seq, at)

    async def wait(self, mark: Mark, at_most_s: float | None = None) -> bool:
        """
        Wait until nobody accepts what was ended before the mark.

        Args:
            at_most_s: give up after so long.

        Returns:
            False where that is not certain: the time is over, or too many wait already.
        """
        if len(self._waiting) >= _MOST:
            return False
        waiter = _Waiter(mark, asyncio.get_running_loop().create_future())
        self._waiting.add(waiter)
        self._begin_to_watch()
        try:
            async with asyncio.timeout(at_most_s):
                await waiter.is_certain
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiter)
        return True

    async def spread(self, epoch: str, seq: int) -> Spread | None:
        """Tell how far an event has come at this moment; None if the store does not say."""
        try:
            head = await self._feed.fresh()
        except StoreFault:
            return None
        reports = await self._reports(min(seq, head.seq))
        return None if reports is None else spread(epoch, seq, reports)

    def _own(self) -> list[Report]:
        head = self._feed.position
        return [self._verifiers.report(head, self._bound_s)] if head else []

    def _begin_to_watch(self) -> None:
        if self._watch is None:
            self._watch = asyncio.create_task(self._watch_while_somebody_waits(), name="certainty")

    async def _watch_while_somebody_waits(self) -> None:
        try:
            while self._waiting:
                news = self._verifiers.news
                await self._judge()
                await asyncio.sleep(_SOONEST_S)
                await is_set_within(news, EVERY_S)
        except BaseException as fault:  # nobody is left waiting for a watch that has failed
            for waiter in self._waiting:
                if not waiter.is_certain.done():
                    waiter.is_certain.set_exception(fault)
            raise
        finally:
            self._watch = None

    async def _judge(self) -> None:
        """Tell those for whom it is over; the others' reports are read after each of their marks was made."""
        waiting = [waiter for waiter in self._waiting if not waiter.is_certain.done()]
        reports = await self._reports(max((waiter.mark.seq or 0 for waiter in waiting), default=0))
        for waiter in waiting:
            if self._is_over(waiter.mark, reports) and not waiter.is_certain.done():
                waiter.is_certain.set_result(None)

    async def _reports(self, seq: int) -> list[Report] | None:
        """Return what every node has told; None if the store does not say."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                others = await self._neighbours.reports(seq)
        except (StoreFault, TimeoutError) as fault:
            self._unknown.failed(fault)
            return None
        self._unknown.recovered()
        return [*others, *self._own()]

    def _is_over(self, mark: Mark, reports: list[Report] | None) -> bool:
        if self._boottime() - mark.at >= self._neighbours.longest_bound_s:
            return True
        return reports is not None and mark.seq is not None and spread(mark.epoch, mark.seq, reports).is_certain
