"""The mail that asks a user to verify their address was sent: its link works from now on."""

from keybearer.server.accounts.mailed_links import VERIFY_EMAIL, activate
from keybearer.server.store import users
from keybearer.server.store.database import Transaction


async def activate_verification(tx: Transaction, user_id: int, text: str, now: int) -> None:
    """
    Activate the link that ``request_email_verification`` returned; an earlier one ends.

    Args:
        text: the link's secret.
    """
    await users.lock(tx, user_id)  # in the order of everything that ends links: no deadlock
    await activate(tx, user_id, VERIFY_EMAIL, text, now)
