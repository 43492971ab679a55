"""A person changes their password: every other sign-in ends, and what acts in their name too if they say so."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals
from keybearer.server.accounts.new_password import put_password
from keybearer.server.accounts.password_attempts import DEVICE_LIVES, device_digest, still_right
from keybearer.server.activities import Actor
from keybearer.server.records import PasswordAttempt, Session
from keybearer.server.store import devices, grants, sessions, sign_in_attempts, users
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class NewPassword:
    """
    What a person chose, and where.

    Args:
        password_hash: Argon2id, PHC text, of a password that the policy lets pass.
        session: the one in which it is changed; it goes on.
        digest: of that session's new cookie.
        device: the device cookie's text.
        ends_grants: whether personal tokens and apps are cut off as well.
    """

    password_hash: str
    session: Session
    digest: bytes
    device: str
    ends_grants: bool


async def change_password(tx: Transaction, actor: Actor, attempt: PasswordAttempt, new: NewPassword, now: int) -> int:
    """
    Put *new* in the place of the password of *attempt*, and return how many tokens and apps were cut off.

    All other sessions end, and what else `put_password` ends. Grants live on unless their end is asked for.

    Raises:
        Refusal: ``unauthenticated``: the password was changed meanwhile; ``forbidden``: the user is disabled;
            ``not_found``: the session has ended meanwhile.
    """
    user = await still_right(tx, attempt)
    user_id = user.user_id
    await sign_in_attempts.forget(tx, attempt.email_digest, attempt.device_digest)
    if new.session.user_id != user_id or not await sessions.renew(tx, new.session.session_id, new.digest, now):
        raise refusals.not_found("the session has ended")
    await put_password(tx, user_id, new.password_hash, new.session.session_id, now)
    await devices.remember(tx, device_digest(user_id, new.device), user_id, now, now + DEVICE_LIVES)
    await ledger.record(tx, actor, ledger.user_activity("password.changed", user_id), now)
    return await _cut_off(tx, actor, user_id, now) if new.ends_grants else 0


async def _cut_off(tx: Transaction, actor: Actor, user_id: int, now: int) -> int:
    """End all that acts in the user's name: one event, however much it is."""
    await users.cut_off(tx, user_id)
    ended = await grants.end_of_user(tx, user_id, now)
    await ledger.record_ended(tx, actor, ended, now)
    return len(ended)
