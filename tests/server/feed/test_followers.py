"""Whoever is told of the feed's events misses none, whatever another of them does."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import insert

from keybearer.server import clock
from keybearer.server.feed.reader import FeedReader
from keybearer.server.store.database import Database, Transaction
from keybearer.server.store.tables import feed_pending
from keybearer.verify.lease import NOWHERE
from keybearer.wire.feed import Event, SyncQuestion
from tests.server.feed.test_reader import Told
from tests.server.store.trial import opened
from tests.support.waiting import until


@dataclass(slots=True)
class Breaks:
    """A follower that breaks at the next event, once."""

    is_due: bool = False

    def apply(self, event: Event) -> None:
        if self.is_due:
            self.is_due = False
            raise ValueError(f"event {event.seq} is too much for me")

    def begin_at(self, seq: int) -> None:
        pass


async def test_a_follower_that_breaks_ends_nothing_and_all_begin_anew(database_url: str) -> None:
    breaks, told = Breaks(), Told()
    async with opened(database_url) as database:
        reader = FeedReader(database, clock.boottime, lease_s=60.0)
        reader.add_follower(breaks)
        reader.add_follower(told)
        async with reader.following():
            await _change(database)
            at_first = await reader.answer(SyncQuestion("n", NOWHERE))
            assert told.beginnings == [1]
            breaks.is_due = True
            waiting = asyncio.create_task(reader.answer(SyncQuestion("n", at_first.head), 60.0))
            await until(lambda: reader._held == 1)
            await _change(database)  # the one behind the follower that breaks is not told of this
            assert (await waiting).head.seq == 2
            assert told.beginnings == [1, 2]
            await _change(database)
            assert (await reader.fresh()).seq == 3
    assert [event.seq for event in told.events] == [3]


async def _change(database: Database) -> None:
    async def change(tx: Transaction) -> None:
        await tx.run(insert(feed_pending).values(kind="user.changed", subject="user:7", at=5))

    await database.transact(change)
