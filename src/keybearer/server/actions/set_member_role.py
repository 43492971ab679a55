"""A role in a team is given: to somebody new, to somebody who left, or another one to a member."""

from dataclasses import dataclass
from typing import Final

from keybearer.server import ledger, refusals
from keybearer.server.activities import Activity, Actor
from keybearer.server.clock import HOUR, as_wire
from keybearer.server.records import Member, Team
from keybearer.server.roles import ROLE_NAMES
from keybearer.server.rules.team_keeping import check_admin_stays, check_manager
from keybearer.server.store import grants, memberships, teams
from keybearer.server.store.database import Transaction
from keybearer.wire.activity import words_text

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


async def set_member_role(
    tx: Transaction, actor: Actor, given: RoleGiven, managers: frozenset[str], now: int
) -> Member:
    """
    Give a role in a team; what the member's tokens may do follows at their very next call.

    A person who gives one must manage members at that moment; the command line, which has no user, may give any.

    Args:
        managers: the roles that may manage members.

    Raises:
        Refusal: ``invalid``: no such role, an end that does not fit it, or the team's last owner would be lowered;
            ``forbidden``: the giver does not manage members, or is support staff and the role would outlast their
            visit; ``not_found``: no such team, or the giver is not in it.
    """
    _check_role(given, now)
    team = await teams.by_team_id(tx, given.team_id)
    if team is None:
        raise refusals.not_found(f"no team {given.team_id}")
    owners = await memberships.lock_owners(tx, given.team_id)
    if actor.user_id is not None:
        _check_giver(await memberships.of_user(tx, given.team_id, actor.user_id), given, managers, now)
    before = await memberships.of_user(tx, given.team_id, given.user_id)
    if given.role != "owner":
        check_admin_stays(before, owners, "role")
    is_in_team = before is not None and before.role_at(now) is not None
    if before and is_in_team and (before.role, before.expires_at) == (given.role, given.expires_at):
        return before
    if not is_in_team:  # a support visit that ran out: what acted during it stays over, as after any leaving
        lapsed = await grants.end_of_member(tx, given.team_id, given.user_id, now)
        await ledger.record_ended(tx, actor, lapsed, now)
    await memberships.set_role(tx, (given.team_id, given.user_id), given.role, given.expires_at, now)
    await ledger.record(tx, actor, _activity(given, before if is_in_team else None, team), now)
    after = await memberships.of_user(tx, given.team_id, given.user_id)
    assert after is not None  # noqa: S101 - just put there
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


def _check_giver(giver: Member | None, given: RoleGiven, managers: frozenset[str], now: int) -> None:
    """Refuse a giver who may not manage members, and support staff who would stay longer than they were let in for."""
    check_manager(giver, managers, now)
    if giver is None or giver.role != "assumed":
        return
    if given.role in {"owner", "assumed"} or given.user_id == giver.user_id:
        raise refusals.forbidden("support staff gives no role that outlasts its visit")


def _activity(given: RoleGiven, before: Member | None, team: Team) -> Activity:
    """Say which role is given, until when, and which there was: nobody could tell later who was let in as what."""
    words = {"role": given.role}
    if given.expires_at is not None:
        words["until"] = as_wire(given.expires_at)
    if before is not None and before.role is not None:
        words["before"] = before.role
    return Activity(
        "member.changed" if before else "member.joined",
        f"membership:{given.user_id}:{given.team_id}",
        team_id=given.team_id,
        environment=team.environment,
        words=words_text(words),
    )
