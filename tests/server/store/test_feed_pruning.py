"""The feed forgets what is both old and far behind, and its head says from where on it still knows."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update

from keybearer.server.store.database import Database, Transaction
from keybearer.server.store.feed_pruning import AT_ONCE, prune_feed
from keybearer.server.store.tables import feed, feed_head
from tests.server.store.trial import ANNOUNCE, assert_chained, events, opened

OLD = 7  # when the trial's events happened


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url) as running:
        yield running


async def _announce(tx: Transaction, how_many: int, at: int) -> None:
    for number in range(how_many):
        await tx.run(ANNOUNCE, subject=f"trial:{number}", at=at)


async def _min_seq(database: Database) -> int:
    head = await database.one(select(feed_head.c.min_seq))
    assert head is not None
    return int(head["min_seq"])


async def test_what_is_old_and_not_among_the_newest_goes(database: Database) -> None:
    await database.transact(_announce, 10, OLD)
    epoch, head = await database.position()
    assert await database.transact(prune_feed, OLD + 1, 4) == 6
    left = await events(database)
    assert [row["seq"] for row in left] == [7, 8, 9, 10]
    assert await _min_seq(database) == 7
    assert_chained(left)
    assert await database.position() == (epoch, head)
    assert await database.transact(prune_feed, OLD + 1, 4) == 0


async def test_what_is_young_stays_and_all_that_came_after_it(database: Database) -> None:
    for at in (OLD, OLD, OLD + 10, OLD, OLD):
        await database.transact(_announce, 1, at)
    assert await database.transact(prune_feed, OLD + 10, 0) == 2
    assert await _min_seq(database) == 3
    assert await database.transact(prune_feed, OLD + 10, 0) == 0
    assert await database.transact(prune_feed, OLD + 11, 0) == 3


async def test_a_feed_shorter_than_what_is_kept_loses_nothing(database: Database) -> None:
    await database.transact(_announce, 10, OLD)
    assert await database.transact(prune_feed, OLD + 1) == 0
    assert await _min_seq(database) == 1


async def test_numbers_go_on_after_everything_was_pruned(database: Database) -> None:
    await database.transact(_announce, 3, OLD)
    assert await database.transact(prune_feed, OLD + 1, 0) == 3
    await database.transact(_announce, 1, OLD)
    assert [row["seq"] for row in await events(database)] == [4]
    assert await _min_seq(database) == 4


async def test_little_is_deleted_at_once(database: Database) -> None:
    await database.transact(_announce, AT_ONCE + 5, OLD)
    assert await database.transact(prune_feed, OLD + 1, 0) == AT_ONCE
    assert await database.transact(prune_feed, OLD + 1, 0) == 5


async def test_a_pruning_that_fails_moves_nothing(database: Database) -> None:
    async def prune_and_fail(tx: Transaction) -> None:
        await prune_feed(tx, OLD + 1, 0)
        raise LookupError

    await database.transact(_announce, 3, OLD)
    with pytest.raises(LookupError):
        await database.transact(prune_and_fail)
    assert len(await events(database)) == 3
    assert await _min_seq(database) == 1


async def test_a_second_node_that_prunes_at_the_same_time_never_moves_the_head_back(database: Database) -> None:
    await database.transact(_announce, 5, OLD)
    await database.transact(_move_to, 4)
    assert await database.transact(prune_feed, OLD + 1, 3) == 0
    assert await _min_seq(database) == 4


async def _move_to(tx: Transaction, min_seq: int) -> None:
    await tx.run(feed.delete().where(feed.c.seq < min_seq))
    await tx.run(update(feed_head).values(min_seq=min_seq))
