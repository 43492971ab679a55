"""What the activity log tells of a person is erased; the log is verified as before, and says what is gone."""

from keybearer.server import ledger
from keybearer.server.activities import Activity, Actor
from keybearer.server.store import activity_forgetting
from keybearer.server.store.database import Transaction
from keybearer.wire.activity import words_text


async def erase_activity(tx: Transaction, actor: Actor, user_id: int, basis: str, now: int) -> int:
    """
    Erase the details of some of a user's records; return how many, 0 when nothing is left.

    It erases only so many at once that nobody waits long for the transaction, so call it until it returns 0. Each call
    is recorded, so a reader of the log can tell an erased record from a damaged one.

    Args:
        basis: why, in words: the request, the law.
        now: microseconds since 1970 UTC.
    """
    erased = await activity_forgetting.erase_some(tx, user_id)
    if erased:
        words = words_text({"basis": basis, "records": erased})
        redacted = Activity("activity.redacted", f"user:{user_id}", words=words)
        await ledger.record(tx, actor, redacted, now)
    return erased
