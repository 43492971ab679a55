"""Make a sandbox client's twin in a live team."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keybearer.server import refusals, secrets
from keybearer.server.activities import Actor
from keybearer.server.client_changes import NewClient, client_to_change, keep_client
from keybearer.server.records import Client, Team
from keybearer.server.refusals import Refusal
from keybearer.server.roles import APPS_WRITE
from keybearer.server.rules.redirect_uri import unfit_for_production
from keybearer.server.store import clients, memberships, teams
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Launch:
    """
    Who takes which client where.

    Args:
        team_id: the active team, in the sandbox; another team's client is not found.
        live_team_id: one of the user's live teams, in which their role gives ``apps:write``.
        prefix: the provider's own, for the secret's text.
    """

    user_id: int
    team_id: int
    live_team_id: int
    prefix: str
    role_permissions: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Launched:
    """The twin just registered, and the live team that it belongs to."""

    made: NewClient
    team: Team


async def go_live(tx: Transaction, actor: Actor, client_id: str, launch: Launch, now: int) -> Launched:
    """
    Register the same app in a live team, with an id and a secret of its own; nothing else crosses over.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``; ``invalid``: redirect URIs unfit for production, each named; no such live team; a twin
            or a client of that name is there already.
    """
    client = await client_to_change(tx, client_id, launch.team_id)
    if client.environment != "sandbox":
        raise refusals.invalid("", "This API client is live already.")
    uris = await clients.redirect_uris(tx, client_id)
    if unfit := unfit_for_production(uris, client.kind):
        raise refusals.all_invalid([refusals.invalid("redirect_uris", sentence) for sentence in unfit])
    team = await _live_team(tx, launch, now)
    if (twin := await clients.twin_in(tx, client_id, team.team_id)) is not None:
        raise refusals.invalid("live_team", f"{team.name} has this app already, as {twin.name}.")
    try:
        made = await keep_client(tx, actor, _twin(client, team, launch.user_id, now), uris, launch.prefix)
    except Refusal as refusal:
        raise _of_the_live_team(refusal, client, team) from refusal
    return Launched(made, team)


async def _live_team(tx: Transaction, launch: Launch, now: int) -> Team:
    """Return the live team, locked, if the user may register clients there."""
    team = await teams.lock(tx, launch.live_team_id)
    member = await memberships.lock_of_user(tx, launch.live_team_id, launch.user_id)
    role = member.role_at(now) if member else None
    if team is None or team.archived_at is not None or team.environment != "live" or role is None:
        raise refusals.invalid("live_team", "Choose one of your live teams.", f"live team {launch.live_team_id}")
    if APPS_WRITE not in launch.role_permissions[role]:
        raise refusals.invalid("live_team", f"Your role in {team.name} does not allow registering API clients.")
    return team


def _of_the_live_team(refusal: Refusal, client: Client, team: Team) -> Refusal:
    """Say of the live team what was said of a form in which a name can be typed and clients be deleted."""
    if refusal.field == "name":
        public = f"{team.name} already has another API client named {client.name}. Rename one of the two first."
    else:
        public = f"{team.name} has as many API clients as fit. Delete one there first."
    return refusals.invalid("live_team", public, refusal.detail)


def _twin(client: Client, team: Team, user_id: int, now: int) -> Client:
    return replace(
        client,
        client_id=secrets.random_client_id(),
        team_id=team.team_id,
        environment=team.environment,
        created_by=user_id,
        twin_of=client.client_id,
        created_at=now,
        updated_at=now,
    )
