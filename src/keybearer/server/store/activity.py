"""The records of the activity log, as they are kept before they have a place in a log."""

from collections.abc import Iterable
from operator import attrgetter, itemgetter
from typing import Any, Final

import msgspec
from sqlalchemy import LargeBinary, cast, insert

from keybearer.audit.entries import ReadEntry
from keybearer.server.store.database import Row, Transaction
from keybearer.server.store.tables import activity_records
from keybearer.wire.activity import Details, Entry

_COPIES: Final = {  # columns in which the entry's own words are repeated, to be searched by
    "at": "at",
    "action": "action",
    "outcome": "outcome",
    "team_id": "team",
    "environment": "environment",
    "client_id": "client",
    "grant_id": "grant",
    "token_id": "token",
    "token_last4": "token_last4",
    "method": "method",
    "route": "route",
    "status": "status",
    "request_id": "request_id",
    "reporter": "reporter",
    "boot": "boot",
    "n": "n",
}
COLUMNS: Final = ("received_at", "entry", "details", "user_id", *_COPIES)
Values = tuple[Any, ...]
"""A record's values in the order of ``COLUMNS``; see `values_of`."""

# SQLite gives back text, or a number, where raw SQL has put that.
STORED_ENTRY: Final = cast(activity_records.c.entry, LargeBinary).label("entry")
STORED_DETAILS: Final = cast(activity_records.c.details, LargeBinary).label("details")

_ADD: Final = insert(activity_records)
_encode: Final = msgspec.json.Encoder().encode
_copied: Final = attrgetter(*_COPIES.values())
_in_row: Final = itemgetter(*_COPIES)
_of_log: Final = itemgetter(*map(COLUMNS.index, ("action", "team_id", "user_id", "received_at", "entry")))


def values_of(entry: Entry | ReadEntry, written: bytes, details: Details, received_at: int) -> Values:
    """
    Return the values of a record's ``COLUMNS``: the entry as it was *written*, what opens it, and copies.

    Args:
        written: the entry's canonical bytes; these are hashed, and nothing else is.
        details: of what is personal, the user's number alone is copied.
        received_at: microseconds since 1970 UTC.
    """
    user = details.get("user")
    return received_at, written, _encode(details), int(user[1]) if user else None, *_copied(entry)


def of_log(values: Values) -> tuple[str, int | None, int | None, int, bytes]:
    """Return what tells a record's log and its leaf there: action, team, user, when it came in, and the entry."""
    found: tuple[str, int | None, int | None, int, bytes] = _of_log(values)
    return found


def row_of(entry: Entry | ReadEntry, written: bytes, details: Details, received_at: int) -> dict[str, Any]:
    """Return the row of a record; see `values_of`."""
    return dict(zip(COLUMNS, values_of(entry, written, details, received_at), strict=True))


def copies_of(entry: Entry | ReadEntry) -> dict[str, Any]:
    """Return the columns in which the entry's own words are repeated."""
    return dict(zip(_COPIES, _copied(entry), strict=True))


def matches_entry(row: Row, entry: Entry | ReadEntry, details: Details) -> bool:
    """Tell whether the columns of a row repeat what its entry says, and its details unless they were erased."""
    user = details.get("user")
    return bool(row["user_id"] == (int(user[1]) if user else None) and _in_row(row) == _copied(entry))


async def add_all(tx: Transaction, rows: Iterable[dict[str, Any]]) -> None:
    """Keep records; see `row_of`."""
    await tx.run_all(_ADD, list(rows))
