"""A person signs out everywhere else."""

from keybearer.server import ledger
from keybearer.server.activities import Actor
from keybearer.server.records import Session
from keybearer.server.store import sessions
from keybearer.server.store.database import Transaction


async def end_other_sessions(tx: Transaction, actor: Actor, kept: Session, now: int) -> int:
    """End every session of the user but *kept*; return how many ended."""
    ended = await sessions.end_others(tx, kept.user_id, kept.session_id, now)
    if ended:
        await ledger.record(tx, actor, ledger.user_activity("session.ended", kept.user_id), now)
    return ended
