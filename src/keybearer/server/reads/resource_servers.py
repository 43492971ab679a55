"""The resource servers that there are, as an operator sees them."""

from keybearer.server import refusals
from keybearer.server.records import ResourceServer
from keybearer.server.store import resource_servers
from keybearer.server.store.database import Reader


async def all_resource_servers(reader: Reader) -> list[ResourceServer]:
    """Return every resource server whose key is in force, newest first."""
    return await resource_servers.live(reader)


async def one_resource_server(reader: Reader, resource_server_id: str) -> ResourceServer:
    """
    Return one resource server, a revoked one too.

    Raises:
        Refusal: ``not_found``.
    """
    found = await resource_servers.by_resource_server_id(reader, resource_server_id)
    if found is None:
        raise refusals.not_found("no such resource server")
    return found
