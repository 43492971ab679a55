"""Links that were mailed and act once."""

from sqlalchemy import bindparam, delete, insert, select, update

from keybearer.server.records import MailLink
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import mail_links

_ADD = insert(mail_links)
_IS_WAITING = (
    (mail_links.c.digest == bindparam("the_digest"))
    & mail_links.c.used_at.is_(None)
    & (mail_links.c.expires_at > bindparam("now"))
)
_WAITING = select(mail_links).where(_IS_WAITING)
_TAKE = update(mail_links).where(_IS_WAITING).values(used_at=bindparam("now")).returning(*mail_links.c)
_WAITING_OF_USER = select(mail_links).where(
    mail_links.c.user_id == bindparam("user_id"),
    mail_links.c.purpose == bindparam("purpose"),
    mail_links.c.used_at.is_(None),
    mail_links.c.expires_at > bindparam("now"),
)
_FORGET = delete(mail_links).where(
    mail_links.c.user_id == bindparam("the_user"), mail_links.c.purpose == bindparam("purpose")
)


async def add(tx: Transaction, link: MailLink) -> None:
    """Keep a link that is about to be mailed."""
    await tx.run(
        _ADD,
        digest=link.digest,
        purpose=link.purpose,
        user_id=link.user_id,
        email=link.email,
        created_at=link.created_at,
        expires_at=link.expires_at,
        used_at=None,
    )


async def waiting(reader: Reader, digest: bytes, now: int) -> MailLink | None:
    """Return the link of this digest if it still acts."""
    row = await reader.one(_WAITING, the_digest=digest, now=now)
    return MailLink(**row) if row else None


async def take(tx: Transaction, digest: bytes, now: int) -> MailLink | None:
    """Use up the link; None if it does not act any more."""
    row = await tx.one(_TAKE, the_digest=digest, now=now)
    return MailLink(**row) if row else None


async def waiting_of_user(reader: Reader, user_id: int, purpose: str, now: int) -> list[MailLink]:
    """Return the user's links of this purpose that still act."""
    return [MailLink(**row) for row in await reader.many(_WAITING_OF_USER, user_id=user_id, purpose=purpose, now=now)]


async def forget(tx: Transaction, user_id: int, purpose: str) -> None:
    """Let no earlier link of this purpose act any more."""
    await tx.run(_FORGET, the_user=user_id, purpose=purpose)
