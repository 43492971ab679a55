"""A number that a reporting process has skipped, and that does not come, becomes a record of its own."""

from typing import Final

from keybearer.server import ledger
from keybearer.server.activities import SERVER_ITSELF, Activity
from keybearer.server.clock import MINUTE
from keybearer.server.store import activity_intake
from keybearer.server.store.activity_intake import Cursor
from keybearer.server.store.database import Transaction
from keybearer.wire.activity import words_text

PATIENCE: Final = MINUTE
_MOST_TOLD: Final = 50  # stretches of numbers that a record names


async def declare_gaps(tx: Transaction, now: int) -> int:
    """
    Record what has been missing for a minute, and wait for it no longer; return for how many processes.

    Args:
        now: microseconds since 1970 UTC.
    """
    waiting = await activity_intake.missing_since(tx, now - PATIENCE)
    for reporter, boot in waiting:
        cursor = await activity_intake.lock_cursor(tx, reporter, boot, now)
        if cursor.missing_since is not None and cursor.missing_since <= now - PATIENCE:
            await _declare(tx, cursor, now)
    return len(waiting)


async def _declare(tx: Transaction, cursor: Cursor, now: int) -> None:
    holes = await activity_intake.holes(tx, cursor, _MOST_TOLD)
    if holes:
        missing = ", ".join(f"{first}-{last}" if first < last else str(first) for first, last in holes)
        words = words_text({"boot": cursor.boot, "missing": missing})
        gap = Activity("activity.gap", f"resource_server:{cursor.reporter}", outcome="unknown", words=words)
        await ledger.record(tx, SERVER_ITSELF, gap, now)
    through = holes[-1][1] if len(holes) == _MOST_TOLD else cursor.highest
    missing_since = None if through == cursor.highest else now
    await activity_intake.move(tx, Cursor(cursor.reporter, cursor.boot, through, cursor.highest, missing_since))
