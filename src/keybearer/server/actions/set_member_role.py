"""A role in a team is given: to somebody new, to somebody who left, or another one to a member."""

from dataclasses import dataclass
from typing import Final

from keybearer.server import ledger, refusals
from keybearer.server.clock import HOUR
from keybearer.server.events import Activity, Actor
from keybearer.server.records import Member
from keybearer.server.roles import ROLE_NAMES
from keybearer.server.store import memberships, teams
from keybearer.server.store.database import Transaction

ASSUMED_AT_MOST: Final = 8 * HOUR


@dataclass(frozen=True, slots=True)
class RoleGiven:
    """
    What role is given to whom.

    Args:
        expires_at: microseconds since 1970 UTC; for the role ``assumed`` alone, which must end; None for the others.
    """

    team_id: int
    user_id: int
    role: str
    expires_at: int | None


async def set_member_role(tx: Transaction, actor: Actor, given: RoleGiven, now: int) -> Member:
    """
    Give a role in a team; what the member's tokens may do follows at their very next call.

    An actor with a user must hold a role in the team; whether it lets them manage members is the door's question.

    Raises:
        Refusal: ``invalid``: no such role, an end that does not fit it, or the team's last owner would be lowered;
            ``forbidden``: support staff would give a role that outlasts their visit; ``not_found``: no such team.
    """
    _check_role(given, now)
    if await teams.by_team_id(tx, given.team_id) is None:
        raise refusals.not_found(f"no team {given.team_id}")
    owners = await memberships.lock_owners(tx, given.team_id)
    if given.role != "owner" and owners == {given.user_id}:
        raise refusals.invalid("role", "A team needs an admin. Make somebody else admin first.", "last owner lowered")
    await _check_giver(tx, actor, given, now)
    before = await memberships.of_user(tx, given.team_id, given.user_id)
    await memberships.set_role(tx, (given.team_id, given.user_id), given.role, given.expires_at, now)
    after = await memberships.of_user(tx, given.team_id, given.user_id)
    assert after is not None  # noqa: S101 - just put there
    done = "member.changed" if before is not None and before.role is not None else "member.joined"
    await ledger.record(tx, actor, await _activity(tx, done, given), now)
    return after


def _check_role(given: RoleGiven, now: int) -> None:
    """Refuse a role that does not exist, and an end that is missing, past, too far off, or not for this role."""
    if given.role not in ROLE_NAMES:
        raise refusals.invalid("role", f"Choose one of the roles: {', '.join(ROLE_NAMES)}.")
    if given.role != "assumed":
        if given.expires_at is not None:
            raise refusals.invalid("expires_at", "Only the support role ends by itself. Leave its end out.")
        return
    if given.expires_at is None or not now < given.expires_at <= now + ASSUMED_AT_MOST:
        raise refusals.invalid("expires_at", "The support role must end within 8 hours. Say when.")


async def _check_giver(tx: Transaction, actor: Actor, given: RoleGiven, now: int) -> None:
    """Refuse a giver who has left meanwhile, and support staff who would stay longer than they were let in for."""
    if actor.user_id is None:
        return
    giver = await memberships.of_user(tx, given.team_id, actor.user_id)
    if giver is None or giver.role is None or (giver.expires_at is not None and giver.expires_at <= now):
        raise refusals.not_found(f"user {actor.user_id} is not in team {given.team_id}")
    if giver.role == "assumed" and (given.role in {"owner", "assumed"} or given.user_id == actor.user_id):
        raise refusals.forbidden("support staff gives no role that outlasts its visit")


async def _activity(tx: Transaction, action: str, given: RoleGiven) -> Activity:
    team = await teams.by_team_id(tx, given.team_id)
    return Activity(
        action,
        f"membership:{given.user_id}:{given.team_id}",
        team_id=given.team_id,
        environment=team.environment if team else None,
    )
