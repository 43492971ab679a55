"""A person asks for another email address; it counts once the link mailed to the present one is followed."""

from keybearer.server.accounts.mailed_links import AddressAsked, reserve_address
from keybearer.server.accounts.profile_changes import ProfileChange, judged
from keybearer.server.store.database import Transaction


async def request_email_change(tx: Transaction, user_id: int, change: ProfileChange, now: int) -> AddressAsked | None:
    """
    Return what is to be mailed to the present address; None if no other one is asked for.

    Nothing has changed yet: the address waits, and an earlier one no longer does, once ``update_profile`` says so.

    Raises:
        Refusal: ``invalid``: the name or the address cannot be kept, both are named; ``not_found``; ``too_many``.
    """
    _, address = judged(change)
    return await reserve_address(tx, user_id, address, now) if address else None
