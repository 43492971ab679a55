"""Attempts at a password: the browser it is typed in, and the user whose password was found right."""

from typing import Final

from keybearer.server import secrets
from keybearer.server.clock import DAY
from keybearer.server.records import PasswordAttempt, User
from keybearer.server.refusals import Refusal
from keybearer.server.store import users
from keybearer.server.store.database import Transaction

DEVICE_LIVES: Final = 365 * DAY


def device_digest(user_id: int, device: str) -> bytes:
    """Return what is kept of a device cookie's text: it tells nothing about a second user of the same browser."""
    return secrets.digest(f"{user_id}:{device}")


async def still_right(tx: Transaction, attempt: PasswordAttempt) -> User:
    """
    Return the user of *attempt*, locked: the password was checked outside this transaction, against a hash of then.

    Whatever changes the password or the user waits for this transaction, or this one for it; so a password that was
    changed meanwhile opens nothing, and what a change of password ends is all there is.

    Raises:
        Refusal: ``unauthenticated``: the password was changed meanwhile; ``forbidden``: the user is disabled.
    """
    user = await users.lock(tx, attempt.user.user_id) if attempt.user else None
    if user is None or attempt.user is None or user.password_hash != attempt.user.password_hash:
        raise Refusal("unauthenticated", "The address or the password is wrong.", "password changed meanwhile")
    if user.disabled_at is not None:
        public = "This account is switched off. Ask whoever runs this service."
        raise Refusal("forbidden", public, f"user {user.user_id} is disabled")
    return user
