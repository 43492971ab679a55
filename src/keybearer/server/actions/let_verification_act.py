"""The mail with which an address is shown to be its user's is on its way: its link acts."""

from keybearer.server.accounts.mailed_links import VERIFY_EMAIL, let_act
from keybearer.server.store import users
from keybearer.server.store.database import Transaction


async def let_verification_act(tx: Transaction, user_id: int, text: str, now: int) -> None:
    """
    Activate the link that ``request_email_verification`` returned; an earlier one ends.

    Args:
        text: the link's secret.
    """
    await users.lock(tx, user_id)  # in the order of everything that ends links: no deadlock
    await let_act(tx, user_id, VERIFY_EMAIL, text, now)
