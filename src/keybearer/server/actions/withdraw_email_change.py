"""A person no longer wants the address that they asked for."""

from keybearer.server import ledger
from keybearer.server.accounts.mailed_links import CHANGE_EMAIL
from keybearer.server.activities import Actor
from keybearer.server.store import mail_links
from keybearer.server.store.database import Transaction


async def withdraw_email_change(tx: Transaction, actor: Actor, user_id: int, now: int) -> bool:
    """End the link of the address that waits; False if none does."""
    if not await mail_links.end(tx, user_id, CHANGE_EMAIL, now):
        return False
    await ledger.record(tx, actor, ledger.user_activity("email.change_withdrawn", user_id), now)
    return True
