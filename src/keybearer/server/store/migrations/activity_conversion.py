"""What was recorded before there were entries becomes entries, in the migration's own transaction."""

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import apsw

from keybearer.server.store.activity import row_of
from keybearer.wire.activity import Entry, entry_bytes, seal

if TYPE_CHECKING:  # only PostgreSQL needs asyncpg
    from keybearer.server.store.postgres_connections import Link

_AT_ONCE: Final = 1_000
_READ: Final = "SELECT * FROM activity_before WHERE activity_id > {0} ORDER BY activity_id LIMIT {1}"
_DROP: Final = "DROP TABLE activity_before"


def convert_sqlite(connection: apsw.Connection) -> None:
    """Turn every row of ``activity_before`` into an entry, in its order, and drop that table; nothing without it."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'activity_before'").fetchone():
        return
    names = [str(column[1]) for column in connection.execute("PRAGMA table_info(activity_before)").fetchall()]
    last = 0
    while found := connection.execute(_READ.format("?", "?"), (last, _AT_ONCE)).fetchall():
        old: list[dict[str, Any]] = [dict(zip(names, values, strict=True)) for values in found]
        rows = [_converted(each) for each in old]
        connection.executemany(_insert(rows[0], "?"), [tuple(row.values()) for row in rows])
        last = old[-1]["activity_id"]
    connection.execute(_DROP)


async def convert_postgres(connection: "Link") -> None:
    """See `convert_sqlite`."""
    if not await connection.fetchval("SELECT to_regclass('activity_before') IS NOT NULL"):
        return
    last = 0
    while found := await connection.fetch(_READ.format("$1", "$2"), last, _AT_ONCE):
        rows = [_converted(dict(row)) for row in found]
        await connection.executemany(_insert(rows[0], "$"), [tuple(row.values()) for row in rows])
        last = found[-1]["activity_id"]
    await connection.execute(_DROP)


def _insert(row: Mapping[str, Any], mark: str) -> str:
    marks = [mark if mark == "?" else f"${number}" for number in range(1, len(row) + 1)]
    return f"INSERT INTO activity_records ({', '.join(row)}) VALUES ({', '.join(marks)})"  # noqa: S608 - our own names


def _converted(old: Mapping[str, Any]) -> dict[str, Any]:
    user = None if old["user_id"] is None else str(old["user_id"])
    personal = {"user": user, "address": old["address"], "subject": old["subject"]}
    sealed, details = seal({field: value for field, value in personal.items() if value}, secrets.token_bytes)
    entry = Entry(
        at=old["at"],
        action=old["action"],
        outcome=old["outcome"],
        team=old["team_id"],
        environment=old["environment"],
        client=old["client_id"],
        grant=old["grant_id"],
        token=old["token_id"],
        token_last4=old["token_last4"],
        request_id=old["request_id"],
        sealed=sealed or None,
    )
    return row_of(entry, entry_bytes(entry), details, old["at"])
