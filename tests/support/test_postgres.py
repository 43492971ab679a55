"""The PostgreSQL of the tests is a real one, and two databases of it have nothing in common."""

import asyncpg
import pytest

from tests.support.databases import PostgresDatabases
from tests.support.postgres import Cluster


async def setting(cluster: Cluster, name: str) -> str:
    connection = await asyncpg.connect(cluster.url())
    try:
        return str(await connection.fetchval("SELECT current_setting($1)", name))
    finally:
        await connection.close()


async def test_it_listens_on_no_network(postgres: Cluster) -> None:
    assert await setting(postgres, "listen_addresses") == ""


async def test_the_ordinary_one_does_not_wait_for_the_disk(postgres: Cluster) -> None:
    assert await setting(postgres, "fsync") == "off"


async def test_the_durable_one_waits_for_the_disk(durable_postgres: Cluster) -> None:
    assert await setting(durable_postgres, "fsync") == "on"
    assert await setting(durable_postgres, "synchronous_commit") == "on"
    assert await setting(durable_postgres, "full_page_writes") == "on"


async def make_table(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE things (name text)")
    await connection.close()


def test_a_fresh_database_is_empty_and_ends_with_its_test(postgres_databases: PostgresDatabases) -> None:
    wait = postgres_databases._loop.run_until_complete
    for _ in range(2):
        with postgres_databases.fresh("template1") as url:
            wait(make_table(url))
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        wait(asyncpg.connect(url))
