"""Authorization codes."""

from sqlalchemy import bindparam, insert, select, update

from keybearer.server.records import Code
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import codes, families, grants

_ADD = insert(codes)
_BY_DIGEST = select(codes).where(codes.c.digest == bindparam("digest"))
_TAKE = (
    update(codes)
    .where(
        codes.c.digest == bindparam("the_digest"),
        codes.c.client_id == bindparam("the_client"),  # another client's code is not burnt
        codes.c.used_at.is_(None),
        codes.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(*codes.c)
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
    await tx.run(
        _ADD,
        digest=code.digest,
        family_id=code.family_id,
        client_id=code.client_id,
        redirect_uri=code.redirect_uri,
        redirect_uri_sent=code.redirect_uri_sent,
        challenge=code.challenge,
        created_at=code.created_at,
        expires_at=code.expires_at,
        used_at=None,
    )


async def take(tx: Transaction, digest: bytes, client_id: str, now: int) -> Code | None:
    """
    Use up the code with this *digest*; None if there is none left to use.

    A single UPDATE decides, so of two exchanges at the same moment one wins.

    Args:
        digest: SHA-256 of the code's whole text, 32 bytes.
        now: microseconds since 1970 UTC.

    Source: RFC 6749 §4.1.2 (a code is used at most once).
    """
    row = await tx.one(_TAKE, the_digest=digest, the_client=client_id, now=now)
    return Code(**row) if row else None


async def by_digest(reader: Reader, digest: bytes) -> Code | None:
    """Return the code of this digest, used and expired ones too."""
    row = await reader.one(_BY_DIGEST, digest=digest)
    return Code(**row) if row else None


async def end_of_user(tx: Transaction, user_id: int, now: int) -> None:
    """End every code of this user that nobody has used yet."""
    await tx.run(_END_OF_USER, the_user=user_id, now=now)
