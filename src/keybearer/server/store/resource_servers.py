"""APIs that verify tokens, known by the digest of their key."""

from sqlalchemy import bindparam, select

from keybearer.server.records import ResourceServer
from keybearer.server.store.database import Reader
from keybearer.server.store.tables import resource_servers

COLUMNS = [column for column in resource_servers.c if column.name not in {"name_key", "digest"}]

_BY_DIGEST = select(*COLUMNS).where(resource_servers.c.digest == bindparam("digest"))


async def by_digest(reader: Reader, digest: bytes) -> ResourceServer | None:
    """
    Return the resource server with the key of this digest, a revoked one too.

    Args:
        digest: SHA-256 of the key's whole text, 32 bytes.
    """
    row = await reader.one(_BY_DIGEST, digest=digest)
    return ResourceServer(**row) if row else None
