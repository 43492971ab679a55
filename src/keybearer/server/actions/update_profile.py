"""Change a user's own profile."""

from keybearer.server import ledger, refusals
from keybearer.server.accounts.mailed_links import AddressAsked, activate_address_change
from keybearer.server.accounts.profile_changes import ProfileChange, judged
from keybearer.server.activities import Actor
from keybearer.server.store import users
from keybearer.server.store.database import Transaction


async def update_profile(
    tx: Transaction, actor: Actor, user_id: int, change: ProfileChange, asked: AddressAsked | None, now: int
) -> None:
    """
    Change a user's name, and let another address wait for its link to be followed.

    Args:
        asked: the address of the change, which ``request_email_change`` returned and whose mail is on its way; None if
            there is none to wait for.
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``invalid``: the name cannot be kept; ``not_found``: no such user, or disabled; ``conflict``: the mail
            went to an address that is no longer the user's.
    """
    name, _ = judged(change)
    user = await users.lock(tx, user_id)
    if user is None or user.disabled_at is not None:
        raise refusals.not_found(f"user {user_id} is gone or disabled")
    if name is not None and name != user.name:
        await users.rename(tx, user_id, name, now)
        await ledger.record(tx, actor, ledger.user_activity("user.changed", user_id), now)
    if asked is not None:
        await activate_address_change(tx, actor, user, asked, now)
