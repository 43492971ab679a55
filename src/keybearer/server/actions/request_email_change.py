"""A person asks for another email address; it counts once the link mailed to the present one is followed."""

from keybearer.server.events import Actor
from keybearer.server.mailed_links import AddressAsked, ask_for_address
from keybearer.server.rules.addresses import clean_address
from keybearer.server.store.database import Transaction


async def request_email_change(
    tx: Transaction, actor: Actor, user_id: int, email: str, now: int
) -> AddressAsked | None:
    """
    Let another address wait for its link; return what is to be mailed, None if it is the present address.

    An earlier request that still waits ends.

    Args:
        email: as typed.

    Raises:
        Refusal: ``invalid``: it is no address; ``not_found``; ``too_many``.
    """
    return await ask_for_address(tx, actor, user_id, clean_address(email), now)
