"""The link mailed to the old address is followed: the new one counts."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals, secrets
from keybearer.server.accounts.mailed_links import CHANGE_EMAIL, VERIFY_EMAIL, keep_link
from keybearer.server.activities import Activity, Actor
from keybearer.server.refusals import Refusal
from keybearer.server.rules.addresses import clean_address
from keybearer.server.store import mail_links, users
from keybearer.server.store.database import Transaction
from keybearer.server.store.faults import Conflict


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """The address that counts now, and the secret of the link by which its mailbox is proven."""

    email: str
    link: str


async def confirm_email_change(tx: Transaction, actor: Actor, text: str, now: int) -> AddressChanged:
    """
    Give the user the address that they asked for; every other link mailed for them ends.

    The new address is not verified before the link mailed to it is followed in turn.

    Args:
        text: the mailed link's secret.

    Raises:
        Refusal: ``not_found``: the link does not act any more; ``conflict``: the address has become another account's.
    """
    digest = secrets.digest(text)
    waiting = await mail_links.waiting(tx, digest, now)
    # The user is locked before the link is taken, in the order of everything that ends links: no deadlock.
    user = await users.lock(tx, waiting.user_id) if waiting else None
    link = await mail_links.take(tx, digest, CHANGE_EMAIL, now)
    if user is None or link is None or user.disabled_at is not None:
        raise refusals.not_found("no such link waits, or its user is disabled")
    try:
        await users.set_email(tx, user.user_id, (link.email, clean_address(link.email).key), None, now)
    except Conflict as conflict:
        public = f"{link.email} cannot be used for this account. Ask for another address."
        raise Refusal("conflict", public, "address taken meanwhile") from conflict
    await mail_links.end_all(tx, user.user_id, now)
    proof = await keep_link(tx, user, VERIFY_EMAIL, link.email, now)
    changed = Activity("user.changed", f"user:{user.user_id}", user_id=user.user_id)
    await ledger.record(tx, actor, changed, now)
    return AddressChanged(link.email, proof)
