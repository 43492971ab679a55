"""What the activity log holds, with what is personal in it opened."""

import json
from typing import Any

from sqlalchemy import select

from keybearer.server.store.database import Reader
from keybearer.server.store.tables import activity_records
from keybearer.wire.activity import CALL, entry_from, open_details

_ALL = select(activity_records).order_by(activity_records.c.activity_id)


async def recorded(reader: Reader, action: str | None = None) -> list[dict[str, Any]]:
    """
    Return every record (of *action*), the oldest first: its row, and what its sealed fields say by their names.

    Without an action those of calls are left out: they come a moment after the call.
    """
    rows = [dict(row) for row in await reader.many(_ALL)]
    told = [row for row in rows if (row["action"] == action if action else row["action"] != CALL)]
    return [row | opened(row) for row in told]


def opened(row: dict[str, Any]) -> dict[str, str]:
    """Return what the sealed fields of a record say; every commitment is checked."""
    details = json.loads(row["details"]) if row["details"] is not None else {}
    return open_details(entry_from(bytes(row["entry"])), details)
