"""Each test has a database of its own, migrated, on both kinds."""

import asyncpg
import pytest
from sqlalchemy import insert

from keybearer.server.store.database import Transaction, open_database
from keybearer.server.store.tables import metadata
from tests.support.databases import PostgresDatabases

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


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("ALTER TABLE users ADD COLUMN shoe_size BIGINT", id="a column"),
        pytest.param("ALTER TABLE users ALTER COLUMN name SET DEFAULT 'nobody'", id="a default"),
        pytest.param("CREATE INDEX ON users (name)", id="an index"),
        pytest.param("ALTER TABLE users DISABLE TRIGGER USER", id="triggers"),
        pytest.param(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 65', current_database()); END $$",
            id="a setting",
        ),
    ],
)
def test_a_database_of_which_more_than_rows_was_changed_is_not_lent_again(
    migrated_postgres: PostgresDatabases, change: str
) -> None:
    wait = migrated_postgres._loop.run_until_complete
    with migrated_postgres.fresh() as changed:
        wait(told(changed, change))
    with migrated_postgres.fresh() as url:
        assert url != changed
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            wait(told(changed, "SELECT 1"))


def test_a_database_of_which_rows_were_changed_is_lent_again(migrated_postgres: PostgresDatabases) -> None:
    wait = migrated_postgres._loop.run_until_complete
    with migrated_postgres.fresh() as changed:
        wait(told(changed, "INSERT INTO feed_pending (kind, subject, at) VALUES ('left', 'user:1', 1)"))
    with migrated_postgres.fresh() as url:
        assert url == changed


async def told(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
