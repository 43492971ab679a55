"""Authorization codes."""

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update

from keybearer.server.records import Code
from keybearer.server.store.database import Transaction
from keybearer.server.store.rows import as_row
from keybearer.server.store.tables import codes, families, grants

_ADD = insert(codes)
# Whoever locks several codes locks them in this order, so that nobody waits in a circle.
_BY_DIGESTS = select(codes).where(codes.c.digest.in_(bindparam("digests", expanding=True))).order_by(codes.c.digest)
_LOCK = _BY_DIGESTS.with_for_update()
_LOCK_FREE = _BY_DIGESTS.with_for_update(skip_locked=True)
_USE = (
    update(codes)
    .where(codes.c.digest == bindparam("the_digest"), codes.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
)
_END_OF_USER = (
    update(codes)
    .where(
        codes.c.family_id.in_(
            select(families.c.family_id)
            .join(grants, grants.c.grant_id == families.c.grant_id)
            .where(grants.c.user_id == bindparam("the_user"))
        ),
        codes.c.used_at.is_(None),
        codes.c.expires_at > bindparam("now"),
    )
    .values(expires_at=bindparam("now"))
)


async def add(tx: Transaction, code: Code) -> None:
    """Keep a new code."""
    await tx.run(_ADD, **as_row(code))


async def lock_all(tx: Transaction, digests: Sequence[bytes], *, waiting: bool) -> dict[bytes, Code]:
    """
    Return codes by digest, used and expired ones too, and let nobody else use them until this transaction ends.

    Args:
        digests: SHA-256 of each code's whole text, 32 bytes.
        waiting: whether to wait for those that another transaction has locked; else they are left out.

    Source: RFC 6749 §4.1.2 (a code is used at most once).
    """
    rows = await tx.many(_LOCK if waiting else _LOCK_FREE, digests=digests)
    return {row["digest"]: Code(**row) for row in rows}


async def use_all(tx: Transaction, digests: Sequence[bytes], now: int) -> None:
    """Use up codes that this transaction has locked."""
    await tx.run_all(_USE, [{"the_digest": digest, "now": now} for digest in digests])


async def end_of_user(tx: Transaction, user_id: int, now: int) -> None:
    """End every code of this user that nobody has used yet."""
    await tx.run(_END_OF_USER, the_user=user_id, now=now)
