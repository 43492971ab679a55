"""A team's API clients, as members of that team see them."""

from dataclasses import dataclass

from keybearer.server import refusals
from keybearer.server.clock import NEVER
from keybearer.server.records import Client, ClientSecret
from keybearer.server.rules.client_authentication import as_client_id
from keybearer.server.rules.redirect_uri import unfit_for_production
from keybearer.server.store import client_lists, clients
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class ListedClient:
    """A client in its team's list."""

    client: Client
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Twin:
    """A sandbox client's twin in a live team."""

    client_id: str
    name: str
    team_id: int
    team_name: str


@dataclass(frozen=True, slots=True)
class SecretLine:
    """A secret that works; ``ends_at`` is None for one that goes on."""

    last4: str
    created_at: int
    ends_at: int | None


@dataclass(frozen=True, slots=True)
class ClientDetails:
    """
    One client with all that its page shows.

    Args:
        maker: the name of who registered it.
        users: how many users have let it in, in any of their teams.
        unfit: sentences on what keeps it from going live.
    """

    client: Client
    redirect_uris: tuple[str, ...]
    secrets: tuple[SecretLine, ...]
    maker: str
    users: int
    twins: tuple[Twin, ...]
    unfit: tuple[str, ...]


async def team_clients(reader: Reader, team_id: int) -> tuple[ListedClient, ...]:
    """Return the team's clients, newest first."""
    return tuple(ListedClient(client, uris) for client, uris in await client_lists.of_team_with_uris(reader, team_id))


async def client_details(reader: Reader, client_id: str, team_id: int, user_id: int, now: int) -> ClientDetails:
    """
    Return one of the team's clients.

    Args:
        client_id: as it stood in an address; it may be anything.
        user_id: who looks; of its twins they see those in teams of their own.
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``: also for another team's.
    """
    client = await clients.by_client_id(reader, as_client_id(client_id))
    if client is None or client.team_id != team_id:
        raise refusals.not_found(f"no such client in team {team_id}")
    uris = await clients.redirect_uris(reader, client_id)
    is_sandbox = client.environment == "sandbox"
    return ClientDetails(
        client=client,
        redirect_uris=uris,
        secrets=tuple(_line(secret) for secret in await clients.secrets_of(reader, client_id, now)),
        maker=await client_lists.maker_of(reader, client_id),
        users=await client_lists.count_of_users(reader, client_id, now),
        twins=tuple(Twin(*found) for found in await client_lists.twins_of(reader, client_id, user_id, now)),
        unfit=tuple(unfit_for_production(uris, client.kind)) if is_sandbox else (),
    )


def _line(secret: ClientSecret) -> SecretLine:
    return SecretLine(secret.last4, secret.created_at, None if secret.expires_at == NEVER else secret.expires_at)
