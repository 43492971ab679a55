"""A person signs out everywhere else."""

from keybearer.server import ledger
from keybearer.server.activities import Activity, Actor
from keybearer.server.records import Session
from keybearer.server.store import sessions
from keybearer.server.store.database import Transaction


async def end_other_sessions(tx: Transaction, actor: Actor, kept: Session, now: int) -> int:
    """End every session of the user but *kept*; return how many ended."""
    ended = await sessions.end_others(tx, kept.user_id, kept.session_id, now)
    if ended:
        everything = Activity("session.ended", f"user:{kept.user_id}", user_id=kept.user_id)
        await ledger.record(tx, actor, everything, now)
    return ended
