"""A log that was changed or put back is frozen: nothing is signed for it any more, and it goes on in a next part."""

import structlog

from keybearer.server import ledger
from keybearer.server.activities import SERVER_ITSELF, Activity
from keybearer.server.records import ActivityLog
from keybearer.server.store import activity_checkpoints, activity_logs
from keybearer.server.store.database import Transaction
from keybearer.wire.activity import words_text

_LOG = structlog.get_logger("keybearer.activity")


async def freeze(tx: Transaction, log: ActivityLog, why: str, now: int) -> None:
    """
    Freeze a log, and record that it was; once only.

    Args:
        why: what was found, in words; it names the record where it is known.
        now: microseconds since 1970 UTC.
    """
    signed = await activity_checkpoints.latest_signed(tx, log.log_id)
    if not await activity_logs.freeze(tx, log, signed.size if signed else 0, why, now):
        return
    _LOG.error("an activity log is frozen", origin=log.origin, why=why)
    words = words_text({"origin": log.origin, "why": why})
    await ledger.record(
        tx, SERVER_ITSELF, Activity("activity.frozen", f"log:{log.log_id}", outcome="failed", words=words), now
    )
