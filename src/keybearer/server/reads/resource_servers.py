"""Resource servers: which one presents a key, and all of them as an operator sees them."""

from keybearer.server import refusals, secrets
from keybearer.server.records import ResourceServer
from keybearer.server.refusals import Refusal
from keybearer.server.store import resource_servers
from keybearer.server.store.database import Reader
from keybearer.wire import token_text


async def authenticate(reader: Reader, text: str) -> ResourceServer:
    """
    Return the resource server whose key this is; a text that cannot be a key costs no look-up.

    Raises:
        Refusal: ``unauthenticated``; its detail says why, its sentence does not.
    """
    parsed = token_text.parse(text)
    if parsed is None or parsed.kind != "rsk":
        raise _unknown("not the text of a resource server key")
    owner = await resource_servers.by_digest(reader, secrets.digest(text))
    if owner is None or owner.environment != parsed.environment:
        raise _unknown("unknown resource server key")
    if owner.revoked_at is not None:
        raise _unknown("revoked resource server key")
    return owner


def _unknown(detail: str) -> Refusal:
    return Refusal("unauthenticated", "The resource server's key is unknown or was revoked.", detail)


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
