"""A wrong password leaves a mark in the log; it was counted before it was checked."""

from keybearer.server import ledger
from keybearer.server.activities import Activity, Actor
from keybearer.server.records import PasswordAttempt
from keybearer.server.store.database import Transaction


async def refuse_sign_in(tx: Transaction, actor: Actor, attempt: PasswordAttempt, now: int) -> None:
    """Keep that a sign-in was refused: whose, if the address is somebody's; never the address itself."""
    user_id = attempt.user.user_id if attempt.user else None
    subject = f"user:{user_id}" if user_id is not None else "user:unknown"
    refused = Activity("session.refused", subject, user_id=user_id, outcome="refused")
    await ledger.record(tx, actor, refused, now)
