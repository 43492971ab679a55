"""Attempts at a password: the browser it is typed in, and the user whose password was found right."""

from typing import Final

from keybearer.server import secrets
from keybearer.server.clock import DAY
from keybearer.server.records import PasswordAttempt, User
from keybearer.server.refusals import Refusal
from keybearer.server.store import users
from keybearer.server.store.database import Transaction

DEVICE_LIVES: Final = 365 * DAY
UNKNOWN_DEVICE: Final = b""  # all browsers in which the user never signed in count together


def device_digest(user_id: int, device: str) -> bytes:
    """Return the digest that is kept of a device cookie: another one for each user of the browser."""
    return secrets.digest(f"{user_id}:{device}")


async def still_right(tx: Transaction, attempt: PasswordAttempt) -> User:
    """
    Return the user of *attempt*, locked, if the password is still the one that was checked.

    It was checked before this transaction began. Changes of the password or the user wait for this transaction, or it
    waits for them. So a password that was changed meanwhile opens nothing, and a change of password misses no session.

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
