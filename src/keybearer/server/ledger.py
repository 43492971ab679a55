"""The activity record of a change, kept in the change's own transaction; triggers write the feed event."""

from keybearer.server.events import Activity, Actor
from keybearer.server.store import activity as rows
from keybearer.server.store.database import Transaction


async def record(tx: Transaction, actor: Actor, activity: Activity, now: int) -> None:
    """
    Keep that *actor* did what *activity* says, or nothing at all: it commits or rolls back with the change.

    Args:
        now: microseconds since 1970 UTC.
    """
    await rows.add(tx, activity, actor, now)
