"""A person signs out, here or in another of their browsers."""

from keybearer.server import ledger
from keybearer.server.activities import Activity, Actor
from keybearer.server.store import sessions
from keybearer.server.store.database import Transaction


async def end_session(tx: Transaction, actor: Actor, session_id: str, user_id: int, now: int) -> None:
    """End one of the user's sessions; one that has ended, or is somebody else's, stays as it is."""
    if await sessions.end(tx, session_id, user_id, now):
        await ledger.record(tx, actor, Activity("session.ended", f"session:{session_id}", user_id=user_id), now)
