"""Follows the feed for this node: one reader for everybody who asks, so the load on the store stays the same."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import structlog

from keybearer.server.fault_log import FaultLog
from keybearer.server.feed.barrier import PATIENCE_S, Barrier
from keybearer.server.feed.proven import ProvenFeed
from keybearer.server.feed.window import FeedWindow
from keybearer.server.rules.sync_answer import FeedView, sync_answer
from keybearer.server.shared_runs import SharedRuns
from keybearer.server.store import feed
from keybearer.server.store.database import Database
from keybearer.server.store.faults import StoreFault, StoreUnavailable
from keybearer.server.waiting import is_set_within
from keybearer.wire.feed import Event, Position, SyncAnswer, SyncQuestion

READ_EVERY_S: Final = 0.1
_SETTLE_EVERY_S: Final = 1.0  # what a connection leads to changes only where a dump is read over living tables
_GO_ON_S: Final = 2.0  # so long after the last question the feed is still followed
_REMEMBERED_AT_FIRST: Final = feed.PAGE - 100  # what comes between the two looks of a beginning has room

_LOG = structlog.get_logger("keybearer.feed")


class Follower(Protocol):
    """What is told of every event, before anybody is answered out of the snapshot that has it; `Mirror` is one."""

    def apply(self, event: Event, /) -> None:
        """Take the next event in."""

    def begin_at(self, seq: int, /) -> None:
        """Forget everything: what comes next follows the event *seq*, perhaps of another lineage."""


class FeedReader:
    """
    Follows the feed for this node.

    While questions come, the store is read every 100 ms and after each commit of this process; while none come, it is
    left alone, and the next question reads it anew.

    Args:
        boottime: seconds that go on while the machine sleeps.
        lease_s: how old a snapshot may become before nothing is answered out of it any more.
        barrier: where another store could have taken over, what proves that none has; snapshots are as old as the last.

    Source: coherence.md 5.3 (N1), 5.4 (aged snapshots).
    """

    def __init__(
        self, database: Database, boottime: Callable[[], float], lease_s: float, barrier: Barrier | None = None
    ) -> None:
        self._database = database
        self.barrier = barrier
        self._feed = ProvenFeed(database, boottime, barrier)
        self._boottime = boottime
        self._lease_s = lease_s
        self._followers: list[Follower] = []
        self._window: FeedWindow | None = None
        self._looks = SharedRuns(self._look_in_time, "feed-look")
        self._asked_at = 0.0
        self._looked_at = -math.inf
        self._settled_at = -_SETTLE_EVERY_S
        self._held = 0
        self._asked, self._hint, self._news = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._older: dict[Position, asyncio.Task[tuple[FeedView, float]]] = {}
        self._commits = self._commits_seen = 0
        self._unread = FaultLog(_LOG, "the feed cannot be read")
        database.on_commit(self._note_commit)

    def add_follower(self, follower: Follower) -> None:
        """Tell *follower* of every event from now on."""
        self._followers.append(follower)

    @property
    def position(self) -> Position | None:
        """Up to where the followers have been told; None before the first look."""
        return self._window.head if self._window else None

    @property
    def unread_s(self) -> float | None:
        """For how many seconds the store has not been read; None while nobody asks, and it is left alone."""
        return self._boottime() - self._looked_at if self._asked.is_set() else None

    @property
    def tells_at_once(self) -> bool:
        """Whether `is_fresh` can ever be True."""
        return self._database.answers_at_once and self.barrier is None

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Read while the block lasts and somebody asks."""
        task = asyncio.create_task(self._follow(), name="feed-reader")
        try:
            yield
        finally:
            tasks = [task, *self._older.values()]
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, self._looks.close(), return_exceptions=True)

    async def answer(self, question: SyncQuestion, wait_s: float = 0) -> SyncAnswer:
        """
        Answer a verifier, as soon as there is something newer than its position.

        Args:
            wait_s: how long to wait for that; then the answer is that there is nothing.

        Raises:
            StoreUnavailable: the store cannot be read, and what is known of it is too old to be of use.
        """
        view, begun_at = await self._view(question.position)
        until = self._boottime() + wait_s
        while view.head == question.position and (left_s := until - self._boottime()) > 0:
            await self._hold(left_s)
            view, begun_at = await self._view(question.position)
        return sync_answer(question, view, self._boottime() - begun_at)

    async def recent(self) -> Position:
        """
        Tell the followers of all that was committed 100 ms ago, and of all that this process has committed.

        While the store cannot be read, up to the lease is meant by recent.

        Raises:
            StoreUnavailable: the store cannot be read, and what is known of it is too old to be of use.
        """
        return (await self._recent()).head

    async def fresh(self) -> Position:
        """
        Tell the followers of all that was committed before this call, and how far the feed reaches now.

        Those who call while another's look is under way share the next one; it begins after all of their calls.

        Raises:
            StoreUnavailable: the store cannot be read.
        """
        if self._database.answers_at_once:
            await self._look()  # sharing would cost more than the look
        else:
            await asyncio.shield(self.coming_look())
        assert self._window is not None  # noqa: S101 - a look that did not fail leaves a window
        return self._window.head

    def coming_look(self) -> asyncio.Task[None]:
        """Return the look that `fresh` waits for where it shares one: for those who have no task to wait in."""
        return self._looks.coming()

    def is_fresh(self) -> bool:
        """
        Tell whether the followers have been told of all that was committed before this call; False: perhaps not.

        It waits for nothing, so it can be told only where the store answers at once; elsewhere there is `fresh`.
        """
        if self._window is None or self._boottime() - self._settled_at >= _SETTLE_EVERY_S:
            return False
        return self._feed.is_still_at(self._window.head)

    def _note_commit(self, _: object) -> None:
        """Look soon: somebody may wait for what this process has just committed."""
        self._commits += 1
        self._hint.set()

    async def _view(self, position: Position) -> tuple[FeedView, float]:
        """Return what the question at *position* needs, and when its snapshot was begun."""
        window = await self._recent()
        if window.head.epoch == position.epoch and window.head.seq < position.seq:
            window = await self._newest()  # another node has told it more meanwhile, or the store was put back
        view = window.views(position)
        return (view, window.begun_at) if view else await self._view_of_older(position)

    async def _recent(self) -> FeedWindow:
        """Return a window that is at most 100 ms old; while the store cannot be read, one whose age shows it."""
        self._asked_at = self._boottime()
        self._asked.set()
        window = self._window
        is_young = self._asked_at - self._looked_at <= READ_EVERY_S
        if window is not None and is_young and self._commits_seen == self._commits:
            return window
        try:
            return await self._newest()
        except StoreUnavailable:
            if self._window is None or self._boottime() - self._window.begun_at > self._lease_s:
                raise
            return self._window

    async def _newest(self) -> FeedWindow:
        """Return a window that has all that was committed before this call."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.shield(self._looks.coming())
        except (StoreFault, TimeoutError) as fault:
            raise StoreUnavailable("the feed cannot be read") from fault
        assert self._window is not None  # noqa: S101 - a look that did not fail leaves a window
        return self._window

    async def _view_of_older(self, position: Position) -> tuple[FeedView, float]:
        """Read a page that is not remembered any more, once for all who ask for it at the moment."""
        if position not in self._older:
            task = self._older[position] = asyncio.create_task(self._read_older(position))
            task.add_done_callback(lambda _: self._older.pop(position))
        return await asyncio.shield(self._older[position])

    async def _read_older(self, position: Position) -> tuple[FeedView, float]:
        stretch, begun_at = await self._feed.read_from(position.seq)
        there, later = None, stretch.events
        if later and later[0].seq == position.seq:
            there, later = later[0].hash, later[1:]
        return FeedView(stretch.head.position, stretch.min_seq, there, later), begun_at

    async def _hold(self, at_most_s: float) -> None:
        """Wait until the feed has gone on."""
        self._held += 1
        try:
            await is_set_within(self._news, at_most_s)
        finally:
            self._held -= 1

    async def _follow(self) -> None:
        while True:
            await self._asked.wait()
            self._hint.clear()
            with self._unread.surviving(StoreFault):
                await asyncio.shield(self._looks.coming())
            await is_set_within(self._hint, READ_EVERY_S)
            if not self._held and self._boottime() - self._asked_at > _GO_ON_S:
                self._asked.clear()

    async def _look_in_time(self) -> None:
        try:
            async with asyncio.timeout(self._lease_s):
                await self._look()
        except TimeoutError as error:
            raise StoreUnavailable("the store does not answer") from error

    async def _look(self) -> None:
        commits, looked_at = self._commits, self._boottime()
        await self._feed.keep_up()
        await self._read()
        self._looked_at = looked_at
        self._commits_seen = commits

    async def _read(self) -> None:
        """Read where the feed stands; if it has moved, read the new events, and tell the followers."""
        if self._boottime() - self._settled_at >= _SETTLE_EVERY_S:
            await self._database.settle_lineage()
            self._settled_at = self._boottime()
        head, begun_at = await self._feed.read_head()
        if head.has_stray:  # raw SQL: what it did counts from here on, so it gets its numbers before anything is said
            await self._database.number_stray_events()
            head, begun_at = await self._feed.read_head()
        if self._window and head.position == self._window.head:
            self._window.begun_at = begun_at
            return
        await self._go_on()

    async def _go_on(self) -> None:
        window = self._window
        if window:
            stretch, begun_at = await self._feed.read_from(window.head.seq)
            new = window.extend(stretch, begun_at)
            if new is not None:
                self._tell(new)
                self._wake()
                return
        await self._begin_anew()

    def _tell(self, events: Sequence[Event]) -> None:
        """Tell the followers; if one breaks, all begin anew at the next look, since who was told what is not known."""
        window, self._window = self._window, None
        for event in events:
            for follower in self._followers:
                follower.apply(event)
        self._window = window

    async def _begin_anew(self) -> None:
        """Begin at the head: at first, after more than a page of news, and in another lineage of the store."""
        head, _ = await self._feed.read_head()
        stretch, begun_at = await self._feed.read_from(max(1, head.position.seq - _REMEMBERED_AT_FIRST))
        window, self._window = FeedWindow(stretch, begun_at), None
        for follower in self._followers:
            follower.begin_at(window.head.seq)
        self._window = window
        self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
