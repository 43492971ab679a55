"""Records of months long over are deleted; the tiles stay, so what remains can be proved as before."""

from keybearer.server import ledger
from keybearer.server.events import Activity
from keybearer.server.rules.activity_logs import month_of
from keybearer.server.sealing.freezing import ITSELF
from keybearer.server.store import activity_forgetting
from keybearer.server.store.database import Transaction
from keybearer.wire.activity import words_text


async def prune_activity(tx: Transaction, before: int, now: int) -> bool:
    """
    Delete some records of a month that was over before *before*; False when there are none left.

    Call it until it returns False. A log that has none left is recorded as pruned, once.

    Args:
        before: microseconds since 1970 UTC, like *now*.
    """
    log = await activity_forgetting.oldest(tx, month_of(before))
    if log is None:
        return False
    if await activity_forgetting.delete_some(tx, log) == log.size:
        words = words_text({"origin": log.origin, "records": log.size})
        await ledger.record(tx, ITSELF, Activity("activity.pruned", f"log:{log.log_id}", words=words), now)
    return True
