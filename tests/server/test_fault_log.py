"""While the store is away, work that goes on all the time says so once in the log, and once that it goes on."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import insert
from structlog.testing import capture_logs

from keybearer.server import clock
from keybearer.server.feed.reader import FeedReader
from keybearer.server.limits import rate_limits
from keybearer.server.limits.rate_limits import RateLimits
from keybearer.server.records import ResourceServer
from keybearer.server.settings import Rate
from keybearer.server.store.database import Transaction
from keybearer.server.store.faults import StoreUnavailable
from keybearer.server.store.sqlite import SqliteDatabase
from keybearer.server.store.tables import feed_pending
from keybearer.server.verifiers.certainty import Certainty
from keybearer.server.verifiers.known import Verifiers
from keybearer.server.verifiers.neighbours import Neighbours
from keybearer.verify.lease import NOWHERE
from keybearer.wire.feed import SyncQuestion
from tests.server.feed.test_reader import TELL, Observed
from tests.server.store.trial import execute, opened
from tests.support.databases import copy_sqlite
from tests.support.waiting import until


async def _away_for_four_looks(database: Observed) -> None:
    database.is_away = True
    looks = database.looks
    await until(lambda: database.looks >= looks + 4)
    database.is_away = False
    looks = database.looks
    await until(lambda: database.looks >= looks + 2)


async def test_that_the_feed_cannot_be_read_is_told_once(database_url: str) -> None:
    async with opened(database_url) as real:
        database = Observed(real)
        reader = FeedReader(database, clock.boottime, lease_s=60.0)
        async with reader.following():
            with capture_logs() as lines:
                at_first = await reader.answer(SyncQuestion("n", NOWHERE))
                waiting = asyncio.create_task(reader.answer(SyncQuestion("n", at_first.head), 60.0))
                await _away_for_four_looks(database)
            waiting.cancel()
    told = Counter(line["event"] for line in lines)
    assert told == {"the feed cannot be read": 1, "the feed cannot be read; that is over": 1}
    assert (lines[0]["fault"], lines[0]["why"]) == ("StoreUnavailable", "away")


async def test_that_the_other_nodes_verifiers_are_not_known_is_told_once(database_url: str) -> None:
    api = ResourceServer("r", "API", "live", "last", 0, None, None)
    async with opened(database_url) as real:
        database = Observed(real)
        reader, verifiers = FeedReader(database, clock.boottime, lease_s=60.0), Verifiers(clock.boottime)
        neighbours = Neighbours(database, reader, verifiers, clock.boottime, bound_s=600)
        certainty = Certainty(reader, verifiers, neighbours, clock.boottime, bound_s=600.0)
        async with reader.following():
            await execute(database_url, TELL)
            verifiers.note(api, "silent-one")
            with capture_logs() as lines:
                waiting = asyncio.create_task(certainty.wait(await certainty.mark()))
                await _away_for_four_looks(database)
            waiting.cancel()
            await until(lambda: certainty._watch is None)
    what = "the other nodes' verifiers are not known"
    told = Counter(line["event"] for line in lines if what in line["event"])
    assert told == {what: 1, f"{what}; that is over": 1}


async def test_that_the_clock_of_the_limits_stands_still_is_told_once(database_url: str) -> None:
    async with opened(database_url) as real:
        database = Observed(real)
        with capture_logs() as lines:
            async with RateLimits(database, _Leaps().boottime, Rate((200, 1))).beating():
                await _away_for_four_looks(database)
    told = Counter(line["event"] for line in lines)
    what = "the clock of the rate limits stands still"
    assert told == {what: 1, f"{what}; that is over": 1}


async def test_that_sqlite_keeps_nothing_is_told_once(migrated_sqlite: Path, tmp_path: Path) -> None:
    async with opened(copy_sqlite(migrated_sqlite, tmp_path / "keybearer.db")) as database:
        assert isinstance(database, SqliteDatabase)
        session = database._session

        async def fill_the_disk(tx: Transaction) -> None:
            session._connection.pragma("max_page_count", session._connection.pragma("page_count"))
            await _swell(tx)

        with capture_logs() as lines:
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await database.transact(fill_the_disk)
            for _ in range(2):
                await database.transact(_swell)
    told = Counter(line["event"] for line in lines)
    assert told == {"the database keeps nothing": 1, "the database keeps nothing; that is over": 1}


async def _swell(tx: Transaction) -> None:
    await tx.run(insert(feed_pending).values(kind="user.changed", subject="user:7" + 1_000_000 * "7", at=5))


class _Leaps:
    """A machine's clock on which so much goes by between two beats that each of them looks."""

    def __init__(self) -> None:
        self._at = 0.0

    def boottime(self) -> float:
        self._at += 2 * rate_limits._LOOKED_EVERY / clock.SECOND
        return self._at
