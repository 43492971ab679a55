"""Change an API client's name, redirect URIs and demand for PKCE."""

from dataclasses import dataclass, replace

from keybearer.server import ledger, refusals
from keybearer.server.activities import Actor
from keybearer.server.client_changes import client_activity, client_to_change
from keybearer.server.records import Client
from keybearer.server.rules.client_details import Typed, details_of
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
        pkce: ``required`` or ``optional``; None leaves it as it is.
    """

    team_id: int
    name: str
    redirect_uris: str
    pkce: str | None


async def update_client(tx: Transaction, actor: Actor, client_id: str, change: ClientChange, now: int) -> Client:
    """
    Change a client; its id, its kind and its secrets stay.

    Args:
        now: microseconds since 1970 UTC.

    Returns:
        the client as it is now.

    Raises:
        Refusal: ``not_found``; ``invalid``: a field is wrong, all wrong ones named.
    """
    client = await client_to_change(tx, client_id, change.team_id)
    pkce = client.pkce if change.pkce is None else change.pkce
    details = details_of(Typed(change.name, change.redirect_uris, client.kind, pkce), client.environment)
    kept = (client.name, client.pkce, await clients.redirect_uris(tx, client_id))
    if kept == (details.name, details.pkce, details.redirect_uris):
        return client
    try:
        await clients.change(tx, client_id, (details.name, name_key(details.name)), details.pkce, now)
    except Conflict as error:
        raise refusals.invalid("name", "The team already has an API client of this name. Choose another.") from error
    await clients.set_redirect_uris(tx, client_id, details.redirect_uris)
    await ledger.record(tx, actor, client_activity("client.changed", client), now)
    return replace(client, name=details.name, pkce=details.pkce, updated_at=now)
