"""Each test has a database of its own, migrated, on both kinds."""

import pytest
from sqlalchemy import insert

from keybearer.server.store.database import Transaction, open_database
from keybearer.server.store.tables import metadata

FEED = metadata.tables["feed"]
PENDING = metadata.tables["feed_pending"]


async def leave_an_event(tx: Transaction) -> None:
    await tx.run(insert(PENDING), kind="left", subject="user:1", at=1)


@pytest.mark.parametrize("take", [1, 2])
async def test_what_a_test_leaves_is_not_found_by_the_next(database_url: str, take: int) -> None:
    database = await open_database(database_url)
    try:
        assert await database.many(FEED.select()) == [], take
        await database.transact(leave_an_event)
        assert len(await database.many(FEED.select())) == 1
    finally:
        await database.close()


@pytest.mark.durable
async def test_a_durable_one_is_made_in_the_same_way(database_url: str) -> None:
    database = await open_database(database_url)
    try:
        assert await database.many(FEED.select()) == []
    finally:
        await database.close()
