"""The records of the activity log, as they are kept before they have a place in a log."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import insert

from keybearer.audit.entries import ReadEntry
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import activity_records
from keybearer.wire.activity import Details, Entry

_ADD: Final = insert(activity_records)


def row_of(entry: Entry | ReadEntry, written: bytes, details: Details, received_at: int) -> dict[str, Any]:
    """
    Return the row of a record: the entry as it was *written*, what opens it, and copies of what is searched by.

    Args:
        written: the entry's canonical bytes; these are hashed, and nothing else is.
        details: of what is personal, the user's number alone is copied.
        received_at: microseconds since 1970 UTC.
    """
    user = details.get("user")
    return {
        "received_at": received_at,
        "entry": written,
        "details": msgspec.json.encode(details),
        "user_id": int(user[1]) if user else None,
        **copies_of(entry),
    }


def copies_of(entry: Entry | ReadEntry) -> dict[str, Any]:
    """Return the columns in which the entry's own words are repeated."""
    return {
        "at": entry.at,
        "action": entry.action,
        "outcome": entry.outcome,
        "team_id": entry.team,
        "environment": entry.environment,
        "client_id": entry.client,
        "grant_id": entry.grant,
        "token_id": entry.token,
        "token_last4": entry.token_last4,
        "method": entry.method,
        "route": entry.route,
        "status": entry.status,
        "request_id": entry.request_id,
        "reporter": entry.reporter,
        "boot": entry.boot,
        "n": entry.n,
    }


async def add_all(tx: Transaction, rows: Iterable[dict[str, Any]]) -> None:
    """Keep records; see `row_of`."""
    await tx.run_all(_ADD, list(rows))
