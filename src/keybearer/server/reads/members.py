"""Who is in a team."""

from dataclasses import dataclass

from keybearer.server import refusals
from keybearer.server.reads.paging import Page, Paging
from keybearer.server.records import Member, User
from keybearer.server.roles import ROLE_TITLES
from keybearer.server.rules.addresses import clean_address
from keybearer.server.store import memberships, users
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class TeamMember:
    """
    Somebody's place in a team at the time of reading; ``role`` is None once it is over.

    Args:
        expires_at: the end of a time-limited role, microseconds since 1970 UTC.
        is_suspended: whether the user may not sign in, nor any token of theirs act.
    """

    membership_id: int
    user_id: int
    name: str
    email: str
    role: str | None
    expires_at: int | None
    is_suspended: bool


async def members_page(reader: Reader, team_id: int, paging: Paging, now: int) -> Page[TeamMember]:
    """Return a page of the team's present members, and how many there are."""
    total = await memberships.count(reader, team_id, now)
    found = await memberships.page(reader, team_id, now, paging.limit, paging.offset)
    return Page([_as_seen(member, now) for member in found], total)


async def member_of(reader: Reader, team_id: int, membership_id: int, now: int) -> TeamMember:
    """
    Return the place of this id in this team, also one that is over.

    Raises:
        Refusal: ``not_found``: there is no such id in the team.
    """
    member = await memberships.by_membership_id(reader, team_id, membership_id)
    if member is None:
        raise refusals.not_found(f"no membership {membership_id} in team {team_id}")
    return _as_seen(member, now)


async def membership_of(reader: Reader, team_id: int, user_id: int, now: int) -> TeamMember:
    """
    Return the user's own place in the team.

    Raises:
        Refusal: ``not_found``: they never had one.
    """
    member = await memberships.of_user(reader, team_id, user_id)
    if member is None:
        raise refusals.not_found(f"user {user_id} never was in team {team_id}")
    return _as_seen(member, now)


async def newcomer(reader: Reader, team_id: int, email: str, now: int) -> User:
    """
    Return the user of this address, who is not in the team yet.

    Args:
        email: as typed.

    Raises:
        Refusal: ``invalid``: it is not an address, nobody here has it, or a member has it.
    """
    user = await users.by_email(reader, clean_address(email).key)
    if user is None:
        public = "Nobody here has this address. See that it is typed right, or ask the operator for an account."
        raise refusals.invalid("email", public, "nobody has this address")
    member = await memberships.of_user(reader, team_id, user.user_id)
    role = member.role_at(now) if member else None
    if role is not None:
        public = f"{user.name} is in the team already, as {ROLE_TITLES[role]}. Change the role in the list of members."
        raise refusals.invalid("email", public, f"user {user.user_id} is in team {team_id}")
    return user


def _as_seen(member: Member, now: int) -> TeamMember:
    """Return the member with the role that counts at *now*: a time-limited one is over at its end."""
    return TeamMember(
        membership_id=member.membership_id,
        user_id=member.user_id,
        name=member.name,
        email=member.email,
        role=member.role_at(now),
        expires_at=member.expires_at,
        is_suspended=member.disabled_at is not None,
    )
