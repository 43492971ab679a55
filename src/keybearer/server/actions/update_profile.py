"""Change a user's own profile."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals
from keybearer.server.events import Activity, Actor
from keybearer.server.mailed_links import AddressAsked, ask_for_address
from keybearer.server.refusals import Refusal
from keybearer.server.rules.addresses import Address, clean_address
from keybearer.server.rules.names import MAX_USER_NAME, clean_name
from keybearer.server.store import users
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What is to be different, as typed; None leaves it as it is."""

    name: str | None
    email: str | None


async def update_profile(
    tx: Transaction, actor: Actor, user_id: int, change: ProfileChange, now: int
) -> AddressAsked | None:
    """
    Change a user's name, and let another address wait for the link that is mailed to the present one.

    Args:
        now: microseconds since 1970 UTC.

    Returns:
        what is to be mailed; None if no other address was asked for.

    Raises:
        Refusal: ``invalid``: the name or the address cannot be kept, both are named; ``too_many``: enough was mailed
            for a day.
    """
    name, address = _judge(change)
    if name is not None:
        await users.rename(tx, user_id, name, now)
        await ledger.record(tx, actor, Activity("user.changed", f"user:{user_id}", user_id=user_id), now)
    return await ask_for_address(tx, actor, user_id, address, now) if address else None


def _judge(change: ProfileChange) -> tuple[str | None, Address | None]:
    """Return the name and the address to be kept; raise all that is wrong with them."""
    name, address, wrong = None, None, list[Refusal]()
    try:
        name = None if change.name is None else clean_name(change.name, MAX_USER_NAME)
    except Refusal as refusal:
        wrong.append(refusal)
    try:
        address = None if change.email is None else clean_address(change.email)
    except Refusal as refusal:
        wrong.append(refusal)
    if wrong:
        raise refusals.all_invalid(wrong)
    return name, address
