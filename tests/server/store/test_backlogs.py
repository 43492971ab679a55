"""What waits is counted up to the first thousand, by its index, however much has been there."""

import re
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from keybearer.server.store import backlogs
from keybearer.server.store.backlogs import MOST, Backlog
from keybearer.server.store.database import Database
from keybearer.server.store.sqlite_connections import STATEMENTS
from tests.server.store.trial import opened
from tests.support.databases import copy_sqlite

_RECORD = "INSERT INTO activity_records (at, received_at, entry, action, outcome) VALUES (1, ?, x'', 'a.b', 'done')"
_DELIVERY = (
    "INSERT INTO webhook_deliveries (delivery_id, webhook_id, event_id, event, body, pace, status, attempts, due_at,"
    " created_at) VALUES (?, ?, ?, 'a.b', '{}', 'once', ?, 0, ?, 1)"
)
_WEBHOOK = (
    "INSERT INTO webhooks (webhook_id, team_id, environment, url, events, sealed_secret, failures, created_at,"
    " updated_at, switched_off_at) VALUES (?, 1, 'live', 'https://x', '*', x'00', 0, 1, 1, ?)"
)
_NOTICE = (
    "INSERT INTO notices (grant_id, user_id, kind, at, attempts, due_at, created_at)"
    " VALUES (?, 1, 'expired', 1, 0, ?, 1)"
)


@pytest.fixture
def file(migrated_sqlite: Path, tmp_path: Path) -> Path:
    """Have the embedded database: rows are put into it as they are, belonging to nobody."""
    copy_sqlite(migrated_sqlite, tmp_path / "keybearer.db")
    return tmp_path / "keybearer.db"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    """Open it."""
    async with opened(f"sqlite:///{file}") as database:
        yield database


def put(file: Path, statement: str, *rows: tuple[Any, ...]) -> None:
    with closing(apsw.Connection(str(file))) as connection, connection:
        connection.executemany(statement, rows)


async def test_nothing_waits_in_an_empty_database(database: Database) -> None:
    for look in (backlogs.unplaced, backlogs.deliveries, backlogs.mails):
        assert await look(database) == Backlog(0, None)


async def test_what_waits_is_counted_with_the_time_of_the_oldest(file: Path, database: Database) -> None:
    put(file, _RECORD, (7,), (8,))
    put(file, _WEBHOOK, ("on", None), ("off", 1))
    put(file, _DELIVERY, *[(str(n), "on", n, "waiting", n) for n in (5, 3, 4)], ("6", "off", 1, "waiting", 1))
    put(file, _DELIVERY, ("7", "on", 1, "delivered", 1), ("8", "on", 2, "failed", 2))
    put(file, _NOTICE, ("a", 9), ("b", 6))
    assert await backlogs.unplaced(database) == Backlog(2, 7)
    assert await backlogs.deliveries(database) == Backlog(3, 3)
    assert await backlogs.mails(database) == Backlog(2, 6)


async def test_nothing_is_counted_beyond_the_first_thousand(file: Path, database: Database) -> None:
    put(file, _RECORD, *[(n,) for n in range(MOST + 1)])
    put(file, _WEBHOOK, ("on", None))
    put(file, _DELIVERY, *[(str(n), "on", n, "waiting", n) for n in range(MOST + 1)])
    put(file, _NOTICE, *[(str(n), n) for n in range(MOST + 1)])
    for look in (backlogs.unplaced, backlogs.deliveries, backlogs.mails):
        assert await look(database) == Backlog(MOST, 0)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (backlogs._UNPLACED, "ix_activity_records_unsequenced"),
        (backlogs._DELIVERIES, "ix_webhook_deliveries_waiting"),
        (backlogs._NOTICES, "ix_notices_due_at"),
    ],
    ids=["records", "deliveries", "mails"],
)
def test_an_index_is_read_and_nothing_sorted(file: Path, statement: backlogs.Counting, index: str) -> None:
    text, given = STATEMENTS.bind(statement, {})
    with closing(apsw.Connection(str(file))) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", given)]
    assert any(index in step for step in plan), plan
    assert not [step for step in plan if "TEMP B-TREE" in step or re.fullmatch(r"SCAN [a-z_]+[a-z]", step)], plan
