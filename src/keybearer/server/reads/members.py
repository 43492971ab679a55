"""Who is in a team."""

from dataclasses import dataclass

from keybearer.server import refusals
from keybearer.server.reads.paging import Page, Paging
from keybearer.server.records import Member
from keybearer.server.store import memberships
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class TeamMember:
    """Somebody's place in a team at the time of reading; ``role`` is None once it is over."""

    membership_id: int
    name: str
    email: str
    role: str | None


async def members_page(reader: Reader, team_id: int, paging: Paging, now: int) -> Page[TeamMember]:
    """Return a page of the team's present members, and how many there are."""
    total = await memberships.count(reader, team_id, now)
    found = await memberships.page(reader, team_id, now, paging.limit, paging.offset)
    return Page([_as_seen(member, now) for member in found], total)


async def member_of(reader: Reader, team_id: int, membership_id: int, now: int) -> TeamMember:
    """
    Return the place of this id in this team, also one that is over.

    Raises:
        Refusal: ``not_found``: the id is another team's, or nobody's.
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


def _as_seen(member: Member, now: int) -> TeamMember:
    """Return the member with the role that counts at *now*: a time-limited one is over at its end."""
    is_over = member.expires_at is not None and member.expires_at <= now
    return TeamMember(member.membership_id, member.name, member.email, None if is_over else member.role)
