"""Links that were mailed and act once."""

from sqlalchemy import bindparam, insert, select, update

from keybearer.server.records import MailLink
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.rows import as_row
from keybearer.server.store.tables import mail_links

_ADD = insert(mail_links)
_ACTS = mail_links.c.used_at.is_(None) & (mail_links.c.expires_at > bindparam("now"))
_IS_THIS = mail_links.c.digest == bindparam("the_digest")
_WAITING = select(mail_links).where(_IS_THIS, _ACTS)
_TAKE = (
    update(mail_links)
    .where(_IS_THIS, mail_links.c.purpose == bindparam("the_purpose"), _ACTS)
    .values(used_at=bindparam("now"))
    .returning(*mail_links.c)
)
_ACTIVATE = update(mail_links).where(_IS_THIS, mail_links.c.used_at == mail_links.c.created_at).values(used_at=None)
_WAITING_OF_USER = select(mail_links).where(
    mail_links.c.user_id == bindparam("user_id"), mail_links.c.purpose == bindparam("purpose"), _ACTS
)
_MADE_SINCE = (
    select(mail_links.c.created_at)
    .where(mail_links.c.user_id == bindparam("user_id"), mail_links.c.created_at > bindparam("since"))
    .order_by(mail_links.c.created_at)
)
_OF_USER = (mail_links.c.user_id == bindparam("the_user")) & _ACTS
_END = (
    update(mail_links)
    .where(_OF_USER, mail_links.c.purpose == bindparam("the_purpose"))
    .values(used_at=bindparam("now"))
)
_END_ALL = update(mail_links).where(_OF_USER).values(used_at=bindparam("now"))


async def add(tx: Transaction, link: MailLink) -> None:
    """Keep a link; one that counts as used when it is made does not work before `activate`."""
    await tx.run(_ADD, **as_row(link))


async def activate(tx: Transaction, digest: bytes) -> None:
    """Make the link of this digest work, which counted as used when it was made."""
    await tx.run(_ACTIVATE, the_digest=digest)


async def waiting(reader: Reader, digest: bytes, now: int) -> MailLink | None:
    """Return the link of this digest if it still acts."""
    row = await reader.one(_WAITING, the_digest=digest, now=now)
    return MailLink(**row) if row else None


async def take(tx: Transaction, digest: bytes, purpose: str, now: int) -> MailLink | None:
    """
    Use up the link; None if it does not act any more, or is for something else.

    A single UPDATE decides, so of two clicks at the same moment one acts.
    """
    row = await tx.one(_TAKE, the_digest=digest, the_purpose=purpose, now=now)
    return MailLink(**row) if row else None


async def waiting_of_user(reader: Reader, user_id: int, purpose: str, now: int) -> MailLink | None:
    """Return the user's link of this purpose that still acts; a new one ends those before it."""
    rows = await reader.many(_WAITING_OF_USER, user_id=user_id, purpose=purpose, now=now)
    return MailLink(**rows[0]) if rows else None


async def made_since(reader: Reader, user_id: int, since: int) -> list[int]:
    """Return when links were mailed for this user after *since*, oldest first; those that ended count too."""
    return [row["created_at"] for row in await reader.many(_MADE_SINCE, user_id=user_id, since=since)]


async def end(tx: Transaction, user_id: int, purpose: str, now: int) -> bool:
    """End the user's links of this purpose; False if none still acted."""
    return await tx.run(_END, the_user=user_id, the_purpose=purpose, now=now) > 0


async def end_all(tx: Transaction, user_id: int, now: int) -> None:
    """End all links that were mailed for this user."""
    await tx.run(_END_ALL, the_user=user_id, now=now)
