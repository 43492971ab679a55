"""A password is about to be checked: it is counted as wrong first, so that guesses sent at once are all counted."""

from typing import Final

from keybearer.server import secrets
from keybearer.server.accounts.password_attempts import UNKNOWN_DEVICE, device_digest
from keybearer.server.clock import SECOND
from keybearer.server.records import PasswordAttempt
from keybearer.server.refusals import Refusal, too_many
from keybearer.server.rules.addresses import clean_address
from keybearer.server.rules.sign_in_delay import wait_us, with_failure
from keybearer.server.store import devices, sign_in_attempts, users
from keybearer.server.store.database import Transaction

_NOBODY: Final = 0  # no user has this id


async def count_attempt(tx: Transaction, email: str, device: str, now: int) -> PasswordAttempt:
    """
    Count an attempt to sign in, and return whose password is to be checked.

    Known and unknown addresses are counted alike. A browser in which the user has signed in before counts apart, so
    that nobody's guesses keep the owner out. Whoever then finds the password right forgets the count.

    Args:
        email: as typed.
        device: the device cookie's text; '' for none.

    Raises:
        Refusal: ``too_many``: it is too early for another attempt; nothing is counted.
    """
    key = _key_of(email)
    user = await users.by_email(tx, key)
    user_id = user.user_id if user else _NOBODY
    known = device_digest(user_id, device)
    counted_for = known if await devices.is_known(tx, known, user_id, now) else UNKNOWN_DEVICE
    email_digest = secrets.digest(key)
    attempts = await sign_in_attempts.lock(tx, email_digest, counted_for)
    if wait := wait_us(attempts, now):
        raise too_many("sign-in: waiting after wrong passwords", -(-wait // SECOND))
    await sign_in_attempts.keep(tx, email_digest, counted_for, with_failure(attempts, now))
    return PasswordAttempt(email_digest, counted_for, user)


def _key_of(email: str) -> str:
    """Return the address as addresses are compared; for what is not an address, a text that no address is equal to."""
    try:
        return clean_address(email).key
    except Refusal:
        return secrets.digest(email).hex()
