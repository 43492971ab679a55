"""Somebody leaves a team, or is made to; all that acted in their name there ends."""

from keybearer.server import ledger, refusals
from keybearer.server.activities import Activity, Actor
from keybearer.server.notices import queue
from keybearer.server.records import Member
from keybearer.server.rules.team_keeping import check_admin_stays, check_manager
from keybearer.server.store import grants, memberships, teams
from keybearer.server.store.database import Transaction
from keybearer.wire.activity import words_text


async def remove_member(
    tx: Transaction, actor: Actor, team_id: int, user_id: int, managers: frozenset[str], now: int
) -> Member:
    """
    Take a member out of a team and end their grants there; joining again does not bring these back.

    Everybody may leave by themselves; a person who removes another must manage members at that moment. The command
    line, which has no user, may remove anybody.

    Args:
        managers: the roles that may manage members.

    Returns:
        The member as they were.

    Raises:
        Refusal: ``not_found``: they are not in the team, or the actor is not; ``forbidden``: the actor's role does not
            allow it; ``invalid``: they are its last owner.
    """
    owners = await memberships.lock_owners(tx, team_id)
    if actor.user_id not in {None, user_id}:
        check_manager(await memberships.of_user(tx, team_id, actor.user_id), managers, now)
    member = await memberships.of_user(tx, team_id, user_id)
    team = await teams.by_team_id(tx, team_id)
    if team is None or member is None or member.role is None:
        raise refusals.not_found(f"user {user_id} is not in team {team_id}")
    check_admin_stays(member, owners)
    await memberships.leave(tx, team_id, user_id, now)
    ended = await grants.end_of_member(tx, team_id, user_id, now)
    await ledger.record_ended(tx, actor, ended, now)
    await queue.put_revoked(tx, actor, ended, now)
    left = Activity(
        "member.left",
        f"membership:{user_id}:{team_id}",
        team_id=team_id,
        environment=team.environment,
        words=words_text({"before": member.role}),
    )
    await ledger.record(tx, actor, left, now)
    return member
