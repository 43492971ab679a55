"""Records of months long over are deleted; the tiles stay, so what remains can be proved as before."""

from keybearer.server import ledger
from keybearer.server.activities import SERVER_ITSELF, Activity
from keybearer.server.rules.activity_logs import month_of, why_misnamed
from keybearer.server.store import activity_forgetting
from keybearer.server.store.database import Transaction
from keybearer.wire.activity import words_text


async def prune_activity(tx: Transaction, before: int, now: int) -> bool:
    """
    Delete some records of months that were over before *before*; False when there are none left.

    Call it until it returns False: so nobody waits long. A log that has none left is recorded as pruned, once.

    A month that is not the one in the log's name was put there by raw SQL, so that records would go: they stay.

    Args:
        before: microseconds since 1970 UTC, like *now*.
    """
    logs = [log for log in await activity_forgetting.oldest(tx, month_of(before)) if not why_misnamed(log)]
    most = activity_forgetting.AT_ONCE
    for log in logs:
        end = await activity_forgetting.delete_some(tx, log, most)
        if end == log.size:
            words = words_text({"origin": log.origin, "records": log.size})
            await ledger.record(tx, SERVER_ITSELF, Activity("activity.pruned", f"log:{log.log_id}", words=words), now)
        most -= end - log.min_index
        if not most:
            break
    return bool(logs)
