"""Who looks at a page: the session behind a cookie, its user, and the teams they are in now."""

from dataclasses import dataclass

from keybearer.server import secrets
from keybearer.server.records import Place, Session, User
from keybearer.server.store import memberships, sessions, users
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class Visit:
    """A sign-in that may be used; ``places`` are the user's present teams with the role in each, oldest first."""

    session: Session
    user: User
    places: tuple[Place, ...]


async def whose(reader: Reader, cookie: str) -> int | None:
    """Return the user whose session this cookie is, or was before it ended; None if nobody knows any more."""
    return await sessions.user_of(reader, secrets.digest(cookie))


async def visit(reader: Reader, cookie: str, now: int, idle_since: int) -> Visit | None:
    """
    Return who is signed in with this cookie; None if nobody is (ended, expired, idle, disabled).

    Args:
        cookie: the session cookie's text.
        idle_since: sessions last seen at or before this time (microseconds) have ended.
    """
    session = await sessions.alive(reader, secrets.digest(cookie), now, idle_since)
    if session is None:
        return None
    user = await users.by_user_id(reader, session.user_id)
    if user is None or user.disabled_at is not None:
        return None
    return Visit(session, user, tuple(await memberships.places_of(reader, user.user_id, now)))
