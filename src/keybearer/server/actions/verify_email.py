"""The link mailed to an address is followed: the address is its user's."""

from keybearer.server import ledger, refusals
from keybearer.server.accounts.mailed_links import VERIFY_EMAIL, follow_link
from keybearer.server.activities import Actor
from keybearer.server.store import users
from keybearer.server.store.database import Transaction


async def verify_email(tx: Transaction, actor: Actor, text: str, now: int) -> str:
    """
    Keep that the address is proven, and return it.

    Args:
        text: the mailed link's secret.

    Raises:
        Refusal: ``not_found``: the link does not act any more, or the address is no longer its user's.
    """
    user, email = await follow_link(tx, text, VERIFY_EMAIL, now)
    if not await users.set_verified(tx, user.user_id, email, now):
        raise refusals.not_found("the address is no longer its user's")
    await ledger.record(tx, actor, ledger.user_activity("email.verified", user.user_id), now)
    return email
