"""Migrations bring both databases to the same shape as the tables in the code."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import UniqueConstraint

from keybearer.server.clock import DAY
from keybearer.server.store import migrations
from keybearer.server.store.database import open_database
from keybearer.server.store.migrations import migrate, newest, script
from keybearer.server.store.tables import metadata
from keybearer.server.store.triggers import WATCHED, Watched
from tests.server.store.test_feed_events import DIGESTS, SCENE, TOKEN
from tests.server.store.trial import execute
from tests.support.activity import recorded

_COLUMNS = {
    "sqlite": "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
    "postgresql": "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
}
_INDEXES = {
    "sqlite": "SELECT name, '' FROM sqlite_master WHERE type = 'index'",
    "postgresql": "SELECT indexname, '' FROM pg_indexes WHERE schemaname = 'public'",
}
_OLD_TRIGGERS = {
    "sqlite": [
        (
            "CREATE TRIGGER feed_grants_update AFTER UPDATE ON grants FOR EACH ROW BEGIN"
            " INSERT INTO feed_pending (kind, subject, at) VALUES ('grant.changed', 'old', 1); END"
        )
    ],
    "postgresql": [
        (
            "CREATE FUNCTION feed_grants_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " INSERT INTO feed_pending (kind, subject, at) VALUES ('grant.changed', 'old', 1); RETURN NULL; END $$"
        ),
        "CREATE TRIGGER feed_grants_update AFTER UPDATE ON grants FOR EACH ROW EXECUTE FUNCTION feed_grants_update()",
    ],
}
_GRANT_THAT_RAN_OUT = (
    "INSERT INTO grants (grant_id, user_id, team_id, environment, name, name_key, created_at)"
    " VALUES ('g2', 901, 902, 'sandbox', 'Old', 'old', 1)"
)
_KEPT = {
    "users": "SELECT email, name FROM users",
    "teams": "SELECT identifier, environment FROM teams",
    "grants": "SELECT grant_id, client_id FROM grants WHERE ended_at IS NULL",
    "families": "SELECT family_id, grant_id FROM families",
    "feed_head": "SELECT epoch, seq FROM feed_head",
}
_TRIGGERS = {
    "sqlite": "SELECT name, '' FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, '' FROM pg_trigger WHERE NOT tgisinternal",
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


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the test an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'keybearer.db'}"
        return
    with request.getfixturevalue("postgres_databases").fresh("template0") as url:
        yield url


async def test_an_upgrade_from_the_first_tables_keeps_everything_and_makes_the_triggers_anew(empty_url: str) -> None:
    dialect = empty_url.partition(":")[0]
    token = TOKEN.format(digest=DIGESTS[dialect])
    run_out = token
    for one, other in (("t1", "t2"), ("g1", "g2"), ("p1", "p2"), ("ab" * 32, "cd" * 32), ("4102444800000000", "9")):
        run_out = run_out.replace(one, other)
    scene = [*SCENE.strip().split(";\n"), token, _GRANT_THAT_RAN_OUT, run_out]
    await execute(empty_url, script(dialect, None, "0001"), *_OLD_TRIGGERS[dialect], *scene)
    before = {table: await _rows(empty_url, {dialect: query}) for table, query in _KEPT.items()}
    assert all(before.values())
    assert await asyncio.to_thread(migrate, empty_url)
    assert {table: await _rows(empty_url, {dialect: query}) for table, query in _KEPT.items()} == before
    # 30 days before the token ends, and without having found that end: nothing from before it was made is told;
    # what ran out is looked at no more.
    watched = {dialect: "SELECT grant_id, ends_at || '|' || look_at FROM expiries"}
    assert await _rows(empty_url, watched) == {("g1", f"0|{4_102_444_800_000_000 - 30 * DAY}")}
    await execute(empty_url, "UPDATE grants SET ended_at = 5 WHERE grant_id = 'g1'")
    assert await _rows(empty_url, {dialect: "SELECT kind, subject FROM feed_pending"}) == {
        ("grant.ended", "grant:g1:901:902")
    }


async def test_what_was_recorded_before_becomes_entries_in_its_order(empty_url: str) -> None:
    dialect = empty_url.partition(":")[0]
    columns = "at, action, outcome, user_id, team_id, environment, subject, request_id, address"
    rows = [
        f"({at}, 'member.left', 'done', 901, 902, 'live', 'membership:901:902', 'r{at}', '::1')" for at in (9, 7, 8)
    ]
    nobody = "(5, 'session.refused', 'refused', NULL, NULL, NULL, 'user:unknown', 'r5', '::1')"
    await execute(
        empty_url,
        script(dialect, None, "0001"),
        *(f"INSERT INTO activity_records ({columns}) VALUES {row}" for row in [*rows, nobody]),  # noqa: S608 - ours
    )
    assert await asyncio.to_thread(migrate, empty_url)
    database = await open_database(empty_url)
    try:
        records = await recorded(database)
    finally:
        await database.close()
    assert [record["at"] for record in records] == [9, 7, 8, 5]
    assert (records[0]["user_id"], records[0]["user"], records[0]["subject"]) == (901, "901", "membership:901:902")
    assert (records[3]["user_id"], records[3].get("user"), records[3]["address"]) == (None, None, "::1")
    assert "activity_before" not in {table for table, _ in await _rows(empty_url, _COLUMNS)}


async def test_the_migrated_columns_are_those_of_the_tables(database_url: str) -> None:
    migrated = await _rows(database_url, _COLUMNS)
    declared = {(table.name, column.name) for table in metadata.tables.values() for column in table.c}
    assert {row for row in migrated if row[0] not in {"alembic_version", "sqlite_sequence"}} == declared


async def test_every_declared_index_is_there(database_url: str) -> None:
    indexes = {name for name, _ in await _rows(database_url, _INDEXES)}
    assert {str(index.name) for table in metadata.tables.values() for index in table.indexes} <= indexes


async def test_every_watched_table_has_its_triggers(database_url: str) -> None:
    triggers = {name for name, _ in await _rows(database_url, _TRIGGERS)}
    words = ("update", "delete", "replace" if database_url.startswith("sqlite") else "truncate")
    wanted = {f"feed_{watched.table}_{word}" for watched in WATCHED for word in words}
    wanted |= {f"feed_{watched.table}_move" for watched in WATCHED if watched.tells_before}
    if database_url.startswith("sqlite"):
        wanted |= {f"feed_{watched.table}_displace" for watched in WATCHED if watched.uniques}
    assert wanted | {"feed_memberships_insert", "feed_policy_insert"} == triggers


@pytest.mark.parametrize("watched", WATCHED, ids=lambda watched: watched.table)
def test_every_unique_index_of_a_watched_table_is_known_to_its_triggers(watched: Watched) -> None:
    table = metadata.tables[watched.table]
    rules = [
        {column.name for column in rule.columns} for rule in table.constraints if isinstance(rule, UniqueConstraint)
    ]
    rules += [{column.name for column in index.columns} for index in table.indexes if index.unique]
    known = [set(re.findall(r"NEW\.(\w+)", rule)) for rule in watched.uniques]
    assert [columns for columns in rules if watched.key not in columns and columns not in known] == []


def test_each_migration_follows_the_one_before_it() -> None:
    walked = [(each.revision, each.down_revision) for each in ScriptDirectory(migrations.__path__[0]).walk_revisions()]
    numbers = [f"{number:04}" for number in range(1, len(walked) + 1)]
    assert walked[::-1] == list(zip(numbers, [None, *numbers[:-1]], strict=True))


def test_the_newest_revision_is_alembics_head() -> None:
    assert newest() == ScriptDirectory(migrations.__path__[0]).get_current_head()


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
