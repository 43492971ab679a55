"""Somebody leaves a team, or is made to; all that acted in their name there ends."""

from keybearer.server import ledger, refusals
from keybearer.server.events import Activity, Actor
from keybearer.server.records import Member
from keybearer.server.store import grants, memberships, teams
from keybearer.server.store.database import Transaction


async def remove_member(tx: Transaction, actor: Actor, team_id: int, user_id: int, now: int) -> Member:
    """
    Take a member out of a team and end their grants there; joining again does not bring these back.

    Returns:
        The member as they were.

    Raises:
        Refusal: ``not_found``: they are not in the team, or the actor is not; ``invalid``: they are its last owner.
    """
    owners = await memberships.lock_owners(tx, team_id)
    await _check_remover(tx, actor, team_id, now)
    member = await memberships.of_user(tx, team_id, user_id)
    team = await teams.by_team_id(tx, team_id)
    if team is None or member is None or member.role is None:
        raise refusals.not_found(f"user {user_id} is not in team {team_id}")
    if owners == {user_id}:
        public = "A team needs an admin. Make somebody else admin first."
        raise refusals.invalid("", public, "last owner removed")
    await memberships.leave(tx, team_id, user_id, now)
    for grant in await grants.end_of_member(tx, team_id, user_id, now):
        ended = Activity(
            "grant.ended",
            f"grant:{grant.grant_id}",
            team_id=team_id,
            environment=team.environment,
            client_id=grant.client_id,
            grant_id=grant.grant_id,
        )
        await ledger.record(tx, actor, ended, now)
    left = Activity("member.left", f"membership:{user_id}:{team_id}", team_id=team_id, environment=team.environment)
    await ledger.record(tx, actor, left, now)
    return member


async def _check_remover(tx: Transaction, actor: Actor, team_id: int, now: int) -> None:
    """Refuse somebody who was removed themselves a moment ago."""
    if actor.user_id is None:
        return
    remover = await memberships.of_user(tx, team_id, actor.user_id)
    if remover is None or remover.role is None or (remover.expires_at is not None and remover.expires_at <= now):
        raise refusals.not_found(f"user {actor.user_id} is not in team {team_id}")
