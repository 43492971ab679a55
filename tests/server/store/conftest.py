"""A PostgreSQL with the trial's tables, for the tests that are about PostgreSQL alone; the others have their own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from keybearer.server.store.database import Database
from tests.server.store.trial import create_tables, opened
from tests.support.databases import PostgresDatabases


@pytest.fixture
def fresh_url(migrated_postgres: PostgresDatabases) -> Iterator[str]:
    with migrated_postgres.fresh() as address:
        yield address


@pytest.fixture
async def url(fresh_url: str) -> str:
    await create_tables(fresh_url)
    return fresh_url


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with opened(url) as running:
        yield running
