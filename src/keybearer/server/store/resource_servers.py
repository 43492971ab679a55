"""APIs that verify tokens, known by the digest of their key."""

from collections.abc import Mapping

from sqlalchemy import bindparam, func, insert, select, update

from keybearer.server.records import ResourceServer
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.rows import as_row
from keybearer.server.store.tables import resource_servers

COLUMNS = [column for column in resource_servers.c if column.name not in {"name_key", "digest"}]

_BY_DIGEST = select(*COLUMNS).where(resource_servers.c.digest == bindparam("digest"))
_BY_ID = select(*COLUMNS).where(resource_servers.c.resource_server_id == bindparam("resource_server_id"))
_LIVE = (
    select(*COLUMNS)
    .where(resource_servers.c.revoked_at.is_(None))
    .order_by(resource_servers.c.created_at.desc(), resource_servers.c.resource_server_id.desc())
)
_ADD = insert(resource_servers)
_REVOKE = (
    update(resource_servers)
    .where(
        resource_servers.c.resource_server_id == bindparam("the_resource_server"),
        resource_servers.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("now"))
)
_NOTE_SEEN = (
    update(resource_servers)
    .where(
        resource_servers.c.resource_server_id == bindparam("the_resource_server"),
        func.coalesce(resource_servers.c.seen_at, 0) < bindparam("the_time"),  # another node may have seen it later
    )
    .values(seen_at=bindparam("the_time"))
)


async def by_digest(reader: Reader, digest: bytes) -> ResourceServer | None:
    """
    Return the resource server with the key of this digest, a revoked one too.

    Args:
        digest: SHA-256 of the key's whole text, 32 bytes.
    """
    row = await reader.one(_BY_DIGEST, digest=digest)
    return ResourceServer(**row) if row else None


async def by_resource_server_id(reader: Reader, resource_server_id: str) -> ResourceServer | None:
    """Return the resource server of this id, a revoked one too."""
    row = await reader.one(_BY_ID, resource_server_id=resource_server_id)
    return ResourceServer(**row) if row else None


async def live(reader: Reader) -> list[ResourceServer]:
    """Return those whose key was not revoked, newest first."""
    return [ResourceServer(**row) for row in await reader.many(_LIVE)]


async def add(tx: Transaction, added: ResourceServer, name_key: str, digest: bytes) -> None:
    """
    Keep a new resource server.

    Args:
        name_key: the form in which two names are compared.
        digest: SHA-256 of its key's whole text, 32 bytes.

    Raises:
        Conflict: ``uq_resource_servers_name_key``: there is one of that name.
    """
    await tx.run(_ADD, **as_row(added), name_key=name_key, digest=digest)


async def revoke(tx: Transaction, resource_server_id: str, now: int) -> bool:
    """Revoke the key; False if it was revoked already."""
    return await tx.run(_REVOKE, the_resource_server=resource_server_id, now=now) == 1


async def note_seen(tx: Transaction, seen: Mapping[str, int]) -> None:
    """Keep when keys were last presented, by their owners' ids, in one order on all nodes."""
    await tx.run_all(_NOTE_SEEN, [{"the_resource_server": each, "the_time": seen[each]} for each in sorted(seen)])
