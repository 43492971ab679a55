"""Somebody who is signed in gave their password again: the session goes on under a new id."""

from keybearer.server import ledger, refusals
from keybearer.server.accounts.password_attempts import still_right
from keybearer.server.activities import Activity, Actor
from keybearer.server.records import PasswordAttempt, Session
from keybearer.server.store import sessions, sign_in_attempts
from keybearer.server.store.database import Transaction


async def confirm_identity(
    tx: Transaction, actor: Actor, attempt: PasswordAttempt, session: Session, digest: bytes, now: int
) -> None:
    """
    Let *session* go on under the cookie of *digest*; the old cookie is worth nothing any more.

    Raises:
        Refusal: ``unauthenticated``: the password was changed meanwhile; ``forbidden``: the user is disabled;
            ``not_found``: the session has ended meanwhile.
    """
    user = await still_right(tx, attempt)
    await sign_in_attempts.forget(tx, attempt.email_digest, attempt.device_digest)
    if session.user_id != user.user_id or not await sessions.renew(tx, session.session_id, digest, now):
        raise refusals.not_found("the session has ended")
    confirmed = Activity("session.confirmed", f"session:{session.session_id}", user_id=session.user_id)
    await ledger.record(tx, actor, confirmed, now)
