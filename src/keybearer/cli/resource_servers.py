"""What the resource server commands do, on the open database."""

from keybearer.cli.lookup import find_resource_server
from keybearer.cli.workplace import in_database, in_new_database, load_settings, look_into_database, operator
from keybearer.server.actions.add_resource_server import AddedServer, add_resource_server
from keybearer.server.actions.revoke_resource_server import revoke_resource_server
from keybearer.server.clock import as_wire, now
from keybearer.server.reads.resource_servers import all_resource_servers
from keybearer.server.records import ResourceServer
from keybearer.server.store.database import Database


def add_server(name: str, environment: str) -> dict[str, object]:
    """Add a resource server; return it with its key."""
    settings = load_settings()

    async def work(database: Database) -> AddedServer:
        at = now()
        named = (name, environment)
        return await database.transact(add_resource_server, operator(at), named, settings.token_prefix, at)

    added = in_new_database(settings, work)
    server = added.resource_server
    return {
        "id": server.resource_server_id,
        "name": server.name,
        "environment": server.environment,
        "key": added.key,
    }


def list_servers() -> list[dict[str, object]]:
    """Return what is told of each resource server whose key is in force."""

    async def work(database: Database) -> list[ResourceServer]:
        return await database.view(all_resource_servers)

    return [
        {
            "id": server.resource_server_id,
            "name": server.name,
            "environment": server.environment,
            "last4": server.last4,
            "created_at": as_wire(server.created_at),
            "seen_at": None if server.seen_at is None else as_wire(server.seen_at),
        }
        for server in look_into_database(load_settings(), work)
    ]


def revoke_server(resource_server_id: str) -> dict[str, object]:
    """
    Revoke a resource server's key; return whose it was.

    Raises:
        Trouble: there is no such resource server.
    """

    async def work(database: Database) -> ResourceServer:
        found, at = await find_resource_server(database, resource_server_id), now()
        return await database.transact(revoke_resource_server, operator(at), found.resource_server_id, at)

    server = in_database(load_settings(), work)
    return {
        "id": server.resource_server_id,
        "name": server.name,
        "environment": server.environment,
        "is_revoked": True,
    }
