"""The link mailed to an address is followed: the address is its user's."""

from keybearer.server import ledger, refusals, secrets
from keybearer.server.accounts.mailed_links import VERIFY_EMAIL
from keybearer.server.activities import Activity, Actor
from keybearer.server.store import mail_links, users
from keybearer.server.store.database import Transaction


async def verify_email(tx: Transaction, actor: Actor, text: str, now: int) -> str:
    """
    Keep that the address is proven, and return it.

    Args:
        text: the mailed link's secret.

    Raises:
        Refusal: ``not_found``: the link does not act any more, or the address is no longer its user's.
    """
    digest = secrets.digest(text)
    waiting = await mail_links.waiting(tx, digest, now)
    user = await users.lock(tx, waiting.user_id) if waiting else None
    link = await mail_links.take(tx, digest, VERIFY_EMAIL, now)
    if user is None or link is None or user.disabled_at is not None:
        raise refusals.not_found("no such link waits, or its user is disabled")
    if not await users.set_verified(tx, user.user_id, link.email, now):
        raise refusals.not_found("the address is no longer its user's")
    verified = Activity("email.verified", f"user:{user.user_id}", user_id=user.user_id)
    await ledger.record(tx, actor, verified, now)
    return link.email
