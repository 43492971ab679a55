"""Register an API client."""

from dataclasses import dataclass

from keybearer.server import refusals, secrets
from keybearer.server.activities import Actor
from keybearer.server.client_changes import NewClient, keep_client
from keybearer.server.records import Client
from keybearer.server.rules.client_details import Typed, details_of
from keybearer.server.store import teams
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class AskedClient:
    """
    What a person typed and chose.

    Args:
        user_id: who registers it.
        team_id: the active team; the client belongs to it and to its environment for good.
        redirect_uris: parted by commas or line ends.
        kind: ``confidential`` or ``public``.
        pkce: ``required`` or ``optional``; public clients must in any case.
    """

    user_id: int
    team_id: int
    name: str
    redirect_uris: str
    kind: str
    pkce: str


async def register_client(tx: Transaction, actor: Actor, asked: AskedClient, prefix: str, now: int) -> NewClient:
    """
    Register an API client for a team.

    Args:
        prefix: the provider's own, for the secret's text.
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``invalid``: a field is wrong, all wrong ones named, the team has a client of that name, or too many.
    """
    team = await teams.lock(tx, asked.team_id)
    if team is None:
        raise refusals.not_found(f"no team {asked.team_id}")
    details = details_of(Typed(asked.name, asked.redirect_uris, asked.kind, asked.pkce), team.environment)
    client = Client(
        client_id=secrets.random_client_id(),
        team_id=team.team_id,
        environment=team.environment,
        name=details.name,
        kind=asked.kind,
        pkce=details.pkce,
        created_by=asked.user_id,
        twin_of=None,
        created_at=now,
        updated_at=now,
        deleted_at=None,
    )
    return await keep_client(tx, actor, client, details.redirect_uris, prefix)
