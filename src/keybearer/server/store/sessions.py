"""Sign-ins of people in their browsers."""

from sqlalchemy import bindparam, insert, select, update

from keybearer.server.records import Session
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.rows import as_row
from keybearer.server.store.tables import sessions

COLUMNS = [column for column in sessions.c if column.name != "digest"]

_IS_ALIVE = (
    sessions.c.ended_at.is_(None)
    & (sessions.c.expires_at > bindparam("now"))
    & (sessions.c.seen_at > bindparam("idle_since"))
)
_BY_DIGEST = select(*COLUMNS).where(sessions.c.digest == bindparam("digest"), _IS_ALIVE)
_USER_OF = select(sessions.c.user_id).where(sessions.c.digest == bindparam("digest"))
_OF_USER = (
    select(*COLUMNS)
    .where(sessions.c.user_id == bindparam("user_id"), _IS_ALIVE)
    .order_by(sessions.c.seen_at.desc(), sessions.c.session_id)
)
_ADD = insert(sessions)
_SEE = update(sessions).where(sessions.c.session_id == bindparam("the_session")).values(seen_at=bindparam("now"))
_SWITCH = update(sessions).where(sessions.c.session_id == bindparam("the_session")).values(team_id=bindparam("team_id"))
_LEAVE_LOST_TEAM = (
    update(sessions)
    .where(
        sessions.c.session_id == bindparam("the_session"),
        sessions.c.team_id.is_not_distinct_from(bindparam("lost", type_=sessions.c.team_id.type)),
    )
    .values(team_id=bindparam("team_id"))
)
_RENEW = (
    update(sessions)
    .where(sessions.c.session_id == bindparam("the_session"), sessions.c.ended_at.is_(None))
    .values(digest=bindparam("new_digest"), authenticated_at=bindparam("now"), seen_at=bindparam("now"))
)
_END_COOKIE = (
    update(sessions)
    .where(sessions.c.digest == bindparam("the_digest"), sessions.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)
_LAST_TEAM = (
    select(sessions.c.team_id)
    .where(sessions.c.user_id == bindparam("user_id"), sessions.c.team_id.is_not(None))
    .order_by(sessions.c.seen_at.desc(), sessions.c.session_id.desc())
    .limit(1)
)
_END = (
    update(sessions)
    .where(
        sessions.c.session_id == bindparam("the_session"),
        sessions.c.user_id == bindparam("the_user"),
        sessions.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("now"))
)
_END_ALL = (
    update(sessions)
    .where(sessions.c.user_id == bindparam("the_user"), sessions.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)
_END_OTHERS = _END_ALL.where(sessions.c.session_id != bindparam("kept"))


async def alive(reader: Reader, digest: bytes, now: int, idle_since: int) -> Session | None:
    """
    Return the session of this cookie, if it may still be used.

    Args:
        digest: SHA-256 of the cookie's text.
        idle_since: sessions last seen at or before this time have ended.
    """
    row = await reader.one(_BY_DIGEST, digest=digest, now=now, idle_since=idle_since)
    return Session(**row) if row else None


async def user_of(reader: Reader, digest: bytes) -> int | None:
    """Return the user of the session of this cookie, even if it has ended; None once it is forgotten."""
    row = await reader.one(_USER_OF, digest=digest)
    return row["user_id"] if row else None


async def of_user(reader: Reader, user_id: int, now: int, idle_since: int) -> list[Session]:
    """Return the user's sessions that may still be used, last seen first."""
    rows = await reader.many(_OF_USER, user_id=user_id, now=now, idle_since=idle_since)
    return [Session(**row) for row in rows]


async def add(tx: Transaction, session: Session, digest: bytes) -> None:
    """Keep a new session under the digest of its cookie."""
    await tx.run(_ADD, **as_row(session), digest=digest)


async def see(tx: Transaction, session_id: str, now: int) -> None:
    """Keep that the session is in use."""
    await tx.run(_SEE, the_session=session_id, now=now)


async def switch_team(tx: Transaction, session_id: str, team_id: int | None) -> None:
    """Make another team the session's active one."""
    await tx.run(_SWITCH, the_session=session_id, team_id=team_id)


async def leave_lost_team(tx: Transaction, session_id: str, lost: int | None, team_id: int | None) -> None:
    """Replace a *lost* team as the active one, unless another tab has chosen one meanwhile."""
    await tx.run(_LEAVE_LOST_TEAM, the_session=session_id, lost=lost, team_id=team_id)


async def renew(tx: Transaction, session_id: str, digest: bytes, now: int) -> bool:
    """Give the session a new cookie, after its password was given *now*; False if it has ended."""
    return await tx.run(_RENEW, the_session=session_id, new_digest=digest, now=now) == 1


async def end_cookie(tx: Transaction, digest: bytes, now: int) -> None:
    """End the session behind this cookie, whosever it is."""
    await tx.run(_END_COOKIE, the_digest=digest, now=now)


async def last_team_of(reader: Reader, user_id: int) -> int | None:
    """Return the team in which the user worked last; None if there never was one."""
    row = await reader.one(_LAST_TEAM, user_id=user_id)
    return row["team_id"] if row else None


async def end(tx: Transaction, session_id: str, user_id: int, now: int) -> bool:
    """End one of the user's sessions; False if it is not theirs or has ended."""
    return await tx.run(_END, the_session=session_id, the_user=user_id, now=now) == 1


async def end_all(tx: Transaction, user_id: int, now: int) -> None:
    """End all of the user's sessions."""
    await tx.run(_END_ALL, the_user=user_id, now=now)


async def end_others(tx: Transaction, user_id: int, kept: str, now: int) -> int:
    """End all of the user's sessions but the one to be kept; return how many ended."""
    return await tx.run(_END_OTHERS, the_user=user_id, kept=kept, now=now)
