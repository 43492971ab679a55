"""Authorization requests that wait for their user's consent."""

from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from keybearer.server.records import Authorization
from keybearer.server.store.database import Transaction
from keybearer.server.store.rows import as_row
from keybearer.server.store.tables import authorizations

MOST_OF_SESSION: Final = 50

_ADD = insert(authorizations)
_FORGET_OLDEST = delete(authorizations).where(
    authorizations.c.digest.in_(
        select(authorizations.c.digest)
        .where(authorizations.c.session_id == bindparam("the_session"), authorizations.c.digest != bindparam("newest"))
        .order_by(authorizations.c.created_at.desc())
        .offset(MOST_OF_SESSION - 1)
    )
)
_IS_WAITING = (
    (authorizations.c.digest == bindparam("the_digest"))
    & (authorizations.c.session_id == bindparam("the_session"))
    & authorizations.c.used_at.is_(None)
    & (authorizations.c.expires_at > bindparam("now"))
)
_TAKE = update(authorizations).where(_IS_WAITING).values(used_at=bindparam("now")).returning(*authorizations.c)


async def add(tx: Transaction, request: Authorization) -> None:
    """
    Keep a request until its user has decided.

    Of a session's requests only the newest ``MOST_OF_SESSION`` stay, or whoever is signed in could fill the disk.
    """
    await tx.run(_ADD, **as_row(request))
    await tx.run(_FORGET_OLDEST, the_session=request.session_id, newest=request.digest)


async def take(tx: Transaction, digest: bytes, session_id: str, now: int) -> Authorization | None:
    """Use up the request that this session started; None for another session's, a decided or an old one."""
    row = await tx.one(_TAKE, the_digest=digest, the_session=session_id, now=now)
    return Authorization(**row) if row else None
