"""A person works in another of their teams from now on."""

from keybearer.server import ledger, refusals
from keybearer.server.activities import Activity, Actor
from keybearer.server.records import Session, Team
from keybearer.server.store import memberships, sessions
from keybearer.server.store.database import Transaction


async def switch_team(tx: Transaction, actor: Actor, session: Session, team_id: int, now: int) -> Team:
    """
    Make *team_id* the session's active team.

    Raises:
        Refusal: ``not_found``: the user is not in such a team.
    """
    own = {place.team.team_id: place.team for place in await memberships.places_of(tx, session.user_id, now)}
    team = own.get(team_id)
    if team is None:
        raise refusals.not_found(f"user {session.user_id} is not in team {team_id}")
    if session.team_id != team_id:
        await sessions.switch_team(tx, session.session_id, team_id)
        switched = Activity(
            "session.team_switched",
            f"session:{session.session_id}",
            user_id=session.user_id,
            team_id=team_id,
            environment=team.environment,
        )
        await ledger.record(tx, actor, switched, now)
    return team
