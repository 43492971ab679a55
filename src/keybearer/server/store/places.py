"""The teams that a user is in at the moment, with the role in each."""

from sqlalchemy import bindparam, or_, select

from keybearer.server.records import Place, Team
from keybearer.server.store.database import Reader
from keybearer.server.store.tables import memberships, teams

_OF_USER = (
    select(teams, memberships.c.role, memberships.c.expires_at)
    .join(memberships, memberships.c.team_id == teams.c.team_id)
    .where(
        memberships.c.user_id == bindparam("user_id"),
        memberships.c.role.is_not(None),
        or_(memberships.c.expires_at.is_(None), memberships.c.expires_at > bindparam("now")),
        teams.c.archived_at.is_(None),
    )
    .order_by(teams.c.team_id)
)


async def of_user(reader: Reader, user_id: int, now: int) -> list[Place]:
    """Return the user's places at *now* (microseconds since 1970 UTC), oldest team first."""
    found = []
    for row in await reader.many(_OF_USER, user_id=user_id, now=now):
        columns = dict(row)
        role, expires_at = columns.pop("role"), columns.pop("expires_at")
        found.append(Place(Team(**columns), role, expires_at))
    return found
