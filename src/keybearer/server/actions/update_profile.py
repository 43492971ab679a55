"""Change a user's own profile."""

from dataclasses import dataclass

from keybearer.server import ledger
from keybearer.server.events import Activity, Actor
from keybearer.server.rules.names import MAX_USER_NAME, clean_name
from keybearer.server.store import users
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What is to be different, as typed; None leaves it as it is."""

    name: str | None


async def update_profile(tx: Transaction, actor: Actor, user_id: int, change: ProfileChange, now: int) -> None:
    """
    Change a user's name.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``invalid``: the name cannot be kept.
    """
    if change.name is not None:
        await users.rename(tx, user_id, clean_name(change.name, MAX_USER_NAME), now)
        await ledger.record(tx, actor, Activity("user.changed", f"user:{user_id}", user_id=user_id), now)
