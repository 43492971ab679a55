"""Memberships: who is in which team, with which role; the row outlives the membership, without a role."""

from sqlalchemy import bindparam, func, insert, or_, select, update

from keybearer.server.records import Member, Place, Team
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.rows import total
from keybearer.server.store.tables import memberships, teams, users
from keybearer.server.store.teams import lock as lock_team

_MEMBER = select(
    memberships,
    users.c.name,
    users.c.email,
    users.c.disabled_at,
).join(users, users.c.user_id == memberships.c.user_id)
IS_CURRENT = memberships.c.role.is_not(None) & or_(
    memberships.c.expires_at.is_(None), memberships.c.expires_at > bindparam("now")
)
_IN_TEAM = memberships.c.team_id == bindparam("team_id")

_OF_USER = _MEMBER.where(_IN_TEAM, memberships.c.user_id == bindparam("user_id"))
_LOCK_OF_USER = _OF_USER.with_for_update(key_share=True, of=memberships)
_BY_ID = _MEMBER.where(_IN_TEAM, memberships.c.membership_id == bindparam("membership_id"))
_PAGE = (
    _MEMBER.where(_IN_TEAM, IS_CURRENT)
    .order_by(memberships.c.membership_id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
_COUNT = select(func.count().label("total")).select_from(memberships).where(_IN_TEAM, IS_CURRENT)
_OWNERS = (
    select(memberships.c.user_id)
    .join(users, users.c.user_id == memberships.c.user_id)
    .where(_IN_TEAM, memberships.c.role == "owner", users.c.disabled_at.is_(None))
)

_IS_TEAM_OF_USER = (memberships.c.user_id == bindparam("user_id")) & IS_CURRENT & teams.c.archived_at.is_(None)
_PLACES = (
    select(teams, memberships.c.role, memberships.c.expires_at)
    .join(memberships, memberships.c.team_id == teams.c.team_id)
    .where(_IS_TEAM_OF_USER)
    .order_by(teams.c.team_id)
)
_TEAMS_PAGE = (
    select(teams)
    .join(memberships, memberships.c.team_id == teams.c.team_id)
    .where(_IS_TEAM_OF_USER)
    .order_by(teams.c.team_id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
_TEAMS_COUNT = (
    select(func.count().label("total"))
    .select_from(teams)
    .join(memberships, memberships.c.team_id == teams.c.team_id)
    .where(_IS_TEAM_OF_USER)
)

_ADD = insert(memberships)
_SET_ROLE = (
    update(memberships)
    .where(memberships.c.team_id == bindparam("the_team"), memberships.c.user_id == bindparam("the_user"))
    .values(role=bindparam("role"), expires_at=bindparam("expires_at"), left_at=None)
)
_LEAVE = (
    update(memberships)
    .where(memberships.c.team_id == bindparam("the_team"), memberships.c.user_id == bindparam("the_user"))
    .values(role=None, expires_at=None, left_at=bindparam("now"))
)


async def of_user(reader: Reader, team_id: int, user_id: int) -> Member | None:
    """Return the user's place in the team, also a former one (its role is None); None if there never was one."""
    row = await reader.one(_OF_USER, team_id=team_id, user_id=user_id)
    return Member(**row) if row else None


async def lock_of_user(tx: Transaction, team_id: int, user_id: int) -> Member | None:
    """
    Return the user's place in the team, and let nobody change or end it until this transaction ends.

    Nobody else can lock it meanwhile, so what the user has in the team can be counted and does not change.
    """
    row = await tx.one(_LOCK_OF_USER, team_id=team_id, user_id=user_id)
    return Member(**row) if row else None


async def by_membership_id(reader: Reader, team_id: int, membership_id: int) -> Member | None:
    """Return the place of this id in this team; None if there is no such id in this team."""
    row = await reader.one(_BY_ID, team_id=team_id, membership_id=membership_id)
    return Member(**row) if row else None


async def page(reader: Reader, team_id: int, now: int, limit: int, offset: int) -> list[Member]:
    """Return the team's present members in the order in which they joined first."""
    rows = await reader.many(_PAGE, team_id=team_id, now=now, limit=limit, offset=offset)
    return [Member(**row) for row in rows]


async def count(reader: Reader, team_id: int, now: int) -> int:
    """Return how many members the team has at *now*."""
    return await total(reader, _COUNT, team_id=team_id, now=now)


async def places_of(reader: Reader, user_id: int, now: int) -> list[Place]:
    """Return the user's places at *now*, oldest team first."""
    found = []
    for row in await reader.many(_PLACES, user_id=user_id, now=now):
        columns = dict(row)
        role, expires_at = columns.pop("role"), columns.pop("expires_at")
        found.append(Place(Team(**columns), role, expires_at))
    return found


async def teams_page(reader: Reader, user_id: int, now: int, limit: int, offset: int) -> list[Team]:
    """Return the teams that the user belongs to at *now*."""
    rows = await reader.many(_TEAMS_PAGE, user_id=user_id, now=now, limit=limit, offset=offset)
    return [Team(**row) for row in rows]


async def teams_count(reader: Reader, user_id: int, now: int) -> int:
    """Return how many teams the user belongs to at *now*."""
    return await total(reader, _TEAMS_COUNT, user_id=user_id, now=now)


async def lock_owners(tx: Transaction, team_id: int) -> frozenset[int]:
    """
    Return the user ids of the owners who are not suspended, and let nobody else change members until this ends.

    The team's row is the lock: of two removals of the last two owners at the same moment, one waits and then sees
    that the other was first.
    """
    await lock_team(tx, team_id)
    return frozenset(row["user_id"] for row in await tx.many(_OWNERS, team_id=team_id))


async def set_role(tx: Transaction, member: tuple[int, int], role: str, expires_at: int | None, now: int) -> None:
    """
    Give the user a role in the team, whether they are in it, were once, or never were.

    Args:
        member: team id and user id.
        expires_at: the end of a time-limited role; None for the others.
    """
    team_id, user_id = member
    changed = await tx.run(_SET_ROLE, the_team=team_id, the_user=user_id, role=role, expires_at=expires_at)
    if not changed:
        await tx.run(
            _ADD, team_id=team_id, user_id=user_id, role=role, expires_at=expires_at, joined_at=now, left_at=None
        )


async def leave(tx: Transaction, team_id: int, user_id: int, now: int) -> None:
    """Take the user's role in the team away; the place stays, without a role."""
    await tx.run(_LEAVE, the_team=team_id, the_user=user_id, now=now)
