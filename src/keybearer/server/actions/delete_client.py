"""Delete an API client, and cut it off from everybody who let it in."""

from keybearer.server import ledger
from keybearer.server.activities import Actor
from keybearer.server.client_changes import client_activity, client_to_change
from keybearer.server.notices import queue
from keybearer.server.records import Client
from keybearer.server.store import clients
from keybearer.server.store.database import Transaction


async def delete_client(tx: Transaction, actor: Actor, client_id: str, team_id: int, now: int) -> Client:
    """
    Delete a client: its id and secrets are refused, and its codes and tokens end, from the very next call.

    One row changes and one event is told, however many people let it in: whoever reads a grant takes the end of its
    client for its own. Each of them is mailed.

    Args:
        team_id: the active team; another team's client is not found.
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``.
    """
    client = await client_to_change(tx, client_id, team_id)
    await clients.remove(tx, client_id, now)
    await queue.put_client_deleted(tx, actor, client_id, now)
    await ledger.record(tx, actor, client_activity("client.deleted", client), now)
    return client
