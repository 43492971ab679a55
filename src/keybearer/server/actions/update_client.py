"""Change an API client's name, redirect URIs and demand for PKCE."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals
from keybearer.server.events import Actor
from keybearer.server.records import Client
from keybearer.server.registering import client_activity
from keybearer.server.rules.client_details import details_of, pkce_of
from keybearer.server.rules.names import name_key
from keybearer.server.store import clients
from keybearer.server.store.database import Transaction
from keybearer.server.store.faults import Conflict


@dataclass(frozen=True, slots=True)
class ClientChange:
    """
    How the client is to be from now on.

    Args:
        team_id: the active team; another team's client is not found.
        redirect_uris: parted by commas or line ends; all of them.
        pkce: ``required``, or anything else for optional.
    """

    team_id: int
    name: str
    redirect_uris: str
    pkce: str


async def update_client(tx: Transaction, actor: Actor, client_id: str, change: ClientChange, now: int) -> Client:
    """
    Change a client; its id and its secrets stay.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``; ``invalid``: a field is wrong, all wrong ones named.
    """
    client = await clients.lock_to_change(tx, client_id)
    if client is None or client.team_id != change.team_id:
        raise refusals.not_found(f"no client {client_id[:40]!r} in team {change.team_id}")
    name, uris = details_of(change.name, change.redirect_uris, client.kind, client.environment)
    try:
        await clients.change(tx, client_id, (name, name_key(name)), pkce_of(client.kind, change.pkce), now)
    except Conflict as error:
        raise refusals.invalid("name", "The team already has an API client of this name. Choose another.") from error
    await clients.set_redirect_uris(tx, client_id, uris)
    await ledger.record(tx, actor, client_activity("client.changed", client, actor.user_id), now)
    return client
