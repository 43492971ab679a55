"""What several actions do to an API client: keep it, give it a secret, record it, lock it to change it."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals, secrets
from keybearer.server.activities import Activity, Actor
from keybearer.server.clock import NEVER
from keybearer.server.issuing import Mint
from keybearer.server.records import Client, ClientSecret
from keybearer.server.rules.client_authentication import as_client_id
from keybearer.server.rules.client_details import MAX_CLIENTS
from keybearer.server.rules.names import name_key
from keybearer.server.store import clients
from keybearer.server.store.database import Transaction
from keybearer.server.store.faults import Conflict


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client just registered; its secret is shown once, and '' if it is public and has none."""

    client: Client
    redirect_uris: tuple[str, ...]
    secret: str


async def client_to_change(tx: Transaction, client_id: str, team_id: int) -> Client:
    """
    Return the team's client, and let nobody else change or use it until this transaction ends.

    Args:
        client_id: as it stood in an address; it may be anything.

    Raises:
        Refusal: ``not_found``: also for another team's.
    """
    client = await clients.lock_to_change(tx, as_client_id(client_id))
    if client is None or client.team_id != team_id:
        raise refusals.not_found(f"no such client in team {team_id}")
    return client


async def keep_client(tx: Transaction, actor: Actor, client: Client, uris: tuple[str, ...], prefix: str) -> NewClient:
    """
    Keep a new client; the caller holds the team's lock, so that the count is right.

    Args:
        prefix: the provider's own, for the secret's text.

    Raises:
        Refusal: ``invalid``: the team has a client of that name, or no room for another.
    """
    if await clients.count_of_team(tx, client.team_id) >= MAX_CLIENTS:
        raise refusals.invalid("", f"The team has {MAX_CLIENTS} API clients, and no more fit. Delete one first.")
    try:
        await clients.add(tx, client, name_key(client.name))
    except Conflict as error:
        raise refusals.invalid("name", "The team already has an API client of this name. Choose another.") from error
    await clients.set_redirect_uris(tx, client.client_id, uris)
    mint = Mint(prefix, client.environment)
    secret = await keep_secret(tx, client.client_id, mint, client.created_at) if client.kind == "confidential" else ""
    await ledger.record(tx, actor, client_activity("client.created", client), client.created_at)
    return NewClient(client, uris, secret)


async def keep_secret(tx: Transaction, client_id: str, mint: Mint, now: int) -> str:
    """
    Give the client another secret and return its text; only the digest is kept.

    Args:
        now: microseconds since 1970 UTC.
    """
    text = mint.text("ocs")
    secret = ClientSecret(secrets.record_id(now), client_id, secrets.digest(text), text[-4:], now, NEVER)
    await clients.add_secret(tx, secret)
    return text


def client_activity(action: str, client: Client) -> Activity:
    """Return the record of an *action* on the client; whose doing it is, the actor says."""
    return Activity(
        action,
        f"client:{client.client_id}",
        team_id=client.team_id,
        environment=client.environment,
        client_id=client.client_id,
    )
