"""An API's key is taken away: it can verify no more tokens."""

from keybearer.server import ledger, refusals
from keybearer.server.activities import Activity, Actor
from keybearer.server.records import ResourceServer
from keybearer.server.rules.operators import check_operator
from keybearer.server.store import resource_servers, users
from keybearer.server.store.database import Transaction


async def revoke_resource_server(tx: Transaction, actor: Actor, resource_server_id: str, now: int) -> ResourceServer:
    """
    Revoke a resource server's key permanently; doing it twice changes nothing more.

    What it has mirrored it believes until its lease is out; it gets no other.

    Raises:
        Refusal: ``not_found``: there is none of that id, or who acts is no operator.
    """
    if actor.user_id is not None:
        check_operator(await users.by_user_id(tx, actor.user_id))
    held = await resource_servers.by_resource_server_id(tx, resource_server_id)
    if held is None:
        raise refusals.not_found("no such resource server")
    if await resource_servers.revoke(tx, resource_server_id, now):
        revoked = Activity(
            "resource_server.revoked",
            f"resource_server:{resource_server_id}",
            environment=held.environment,
            token_last4=held.last4,
        )
        await ledger.record(tx, actor, revoked, now)
    return held
