"""A password is about to be checked: it is counted as wrong first, so that guesses sent at once are all counted."""

import unicodedata
from typing import Final

from keybearer.server import secrets
from keybearer.server.clock import SECOND
from keybearer.server.records import Knock
from keybearer.server.refusals import Refusal, too_many
from keybearer.server.rules.addresses import clean_address
from keybearer.server.rules.sign_in_delay import wait_us, with_failure
from keybearer.server.store import devices, sign_in_attempts, users
from keybearer.server.store.database import Transaction

_UNKNOWN_DEVICE: Final = b""


async def count_attempt(tx: Transaction, email: str, device: str, now: int) -> Knock:
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
    device_digest = _UNKNOWN_DEVICE
    if user is not None and device:
        known = secrets.digest(f"{user.user_id}:{device}")
        if await devices.is_known(tx, known, user.user_id, now):
            device_digest = known
    email_digest = secrets.digest(key)
    attempts = await sign_in_attempts.lock(tx, email_digest, device_digest)
    if wait := wait_us(attempts, now):
        raise too_many("sign-in: waiting after wrong passwords", -(-wait // SECOND))
    await sign_in_attempts.keep(tx, email_digest, device_digest, with_failure(attempts, now))
    return Knock(email_digest, device_digest, user)


def _key_of(email: str) -> str:
    """Return the address as addresses are compared; what is none is compared as it was typed."""
    try:
        return clean_address(email).key
    except Refusal:
        return unicodedata.normalize("NFKC", email).strip().casefold()
