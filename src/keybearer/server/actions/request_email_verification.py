"""A person wants to show that their address is theirs."""

from keybearer.server import refusals
from keybearer.server.accounts.mailed_links import VERIFY_EMAIL, check_allowance, reserve_link
from keybearer.server.store import users
from keybearer.server.store.database import Transaction


async def request_email_verification(tx: Transaction, user_id: int, now: int) -> tuple[str, str] | None:
    """
    Return the address and the secret of a link to be mailed to it; None if it is verified already.

    The link acts, and an earlier one no longer does, once ``activate_verification`` says so.

    Raises:
        Refusal: ``not_found``: no such user; ``too_many``: enough was mailed for a day.
    """
    user = await users.lock(tx, user_id)
    if user is None:
        raise refusals.not_found(f"no user {user_id}")
    if user.verified_at is not None:
        return None
    await check_allowance(tx, user_id, now)
    return user.email, await reserve_link(tx, user, VERIFY_EMAIL, user.email, now)
