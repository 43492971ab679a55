"""The policy in force: the digest of what the roles allow."""

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import policy

_PRESENT = select(policy.c.digest)
_CHANGE = update(policy).where(policy.c.digest != bindparam("the_digest")).values(digest=bindparam("the_digest"))
_ADD = upsert(policy).on_conflict_do_nothing()


async def present(reader: Reader) -> str | None:
    """Return the digest of the policy that the last node to start brought along; None before the first."""
    row = await reader.one(_PRESENT)
    return row["digest"] if row else None


async def put(tx: Transaction, digest: str) -> bool:
    """Put this policy in force; True if it changes anything: of two nodes that bring it at once, one is told so."""
    if await present(tx) is None:
        await tx.run(_ADD, singleton=1, digest=digest)
    return await tx.run(_CHANGE, the_digest=digest) > 0
