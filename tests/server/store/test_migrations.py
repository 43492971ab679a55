"""Migrations bring both databases to the same shape as the tables in the code."""

import apsw
import asyncpg
import pytest

from keybearer.server.store.migrations import migrate
from keybearer.server.store.tables import metadata
from keybearer.server.store.triggers import WATCHED

_COLUMNS = {
    "sqlite": "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
    "postgresql": "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
}
_INDEXES = {
    "sqlite": "SELECT name, '' FROM sqlite_master WHERE type = 'index'",
    "postgresql": "SELECT indexname, '' FROM pg_indexes WHERE schemaname = 'public'",
}
_TRIGGERS = {
    "sqlite": "SELECT name, '' FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT DISTINCT trigger_name, '' FROM information_schema.triggers",
}


async def _rows(url: str, queries: dict[str, str]) -> set[tuple[str, str]]:
    if url.startswith("sqlite:///"):
        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        return {(str(first), str(second)) for first, second in connection.execute(queries["sqlite"])}
    server = await asyncpg.connect(url)
    try:
        return {(first, second) for first, second in await server.fetch(queries["postgresql"])}
    finally:
        await server.close()


async def test_the_migrated_columns_are_those_of_the_tables(database_url: str) -> None:
    migrated = await _rows(database_url, _COLUMNS)
    declared = {(table.name, column.name) for table in metadata.tables.values() for column in table.c}
    assert {row for row in migrated if row[0] not in {"alembic_version", "sqlite_sequence"}} == declared


async def test_every_declared_index_is_there(database_url: str) -> None:
    indexes = {name for name, _ in await _rows(database_url, _INDEXES)}
    assert {str(index.name) for table in metadata.tables.values() for index in table.indexes} <= indexes


async def test_every_watched_table_has_its_triggers(database_url: str) -> None:
    triggers = {name for name, _ in await _rows(database_url, _TRIGGERS)}
    wanted = {f"feed_{watched.table}_{word}" for watched in WATCHED for word in ("update", "delete")}
    assert wanted | {"feed_memberships_insert"} == triggers


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_migrating_twice_changes_nothing(database_url: str) -> None:
    assert migrate(database_url) is False


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_of_a_later_version_is_refused(database_url: str) -> None:
    connection = apsw.Connection(database_url.removeprefix("sqlite:///"))
    connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
    connection.close()
    with pytest.raises(RuntimeError, match="install the later version"):
        migrate(database_url)
