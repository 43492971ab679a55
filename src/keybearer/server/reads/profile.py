"""A user as they see themselves."""

from dataclasses import dataclass

from keybearer.server import refusals
from keybearer.server.store import users
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class Profile:
    """A user without anything secret; times in microseconds since 1970 UTC."""

    user_id: int
    name: str
    email: str
    verified_at: int | None
    disabled_at: int | None
    created_at: int
    updated_at: int


async def profile_of(reader: Reader, user_id: int) -> Profile:
    """
    Return the profile of a user.

    Raises:
        Refusal: ``not_found``: there is no such user.
    """
    row = await users.profile(reader, user_id)
    if row is None:
        raise refusals.not_found(f"no user {user_id}")
    return Profile(**row)
