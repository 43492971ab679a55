"""The link mailed to the old address is followed: the new one counts."""

from dataclasses import dataclass

from keybearer.server import ledger
from keybearer.server.accounts.mailed_links import CHANGE_EMAIL, VERIFY_EMAIL, follow_link, keep_link
from keybearer.server.activities import Actor
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
    user, email = await follow_link(tx, text, CHANGE_EMAIL, now)
    try:
        await users.set_email(tx, user.user_id, (email, clean_address(email).key), None, now)
    except Conflict as conflict:
        public = f"{email} cannot be used for this account. Ask for another address."
        raise Refusal("conflict", public, "address taken meanwhile") from conflict
    await mail_links.end_all(tx, user.user_id, now)
    proof = await keep_link(tx, user, VERIFY_EMAIL, email, now)
    await ledger.record(tx, actor, ledger.user_activity("user.changed", user.user_id), now)
    return AddressChanged(email, proof)
