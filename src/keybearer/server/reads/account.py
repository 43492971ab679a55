"""What a person's own account page shows."""

from dataclasses import dataclass

from keybearer.server import secrets
from keybearer.server.accounts.mailed_links import CHANGE_EMAIL
from keybearer.server.records import Session
from keybearer.server.store import mail_links, sessions, users
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class WaitingAddress:
    """An address that was asked for, and until when its link acts (microseconds since 1970 UTC)."""

    email: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class WaitingLink:
    """A mailed link that still acts: what for, for which address, and the one that counts now."""

    purpose: str
    email: str
    present: str


async def waiting_address(reader: Reader, user_id: int, now: int) -> WaitingAddress | None:
    """Return the address that the user has asked for and that does not count yet."""
    link = await mail_links.waiting_of_user(reader, user_id, CHANGE_EMAIL, now)
    return WaitingAddress(link.email, link.expires_at) if link else None


async def waiting_link(reader: Reader, text: str, now: int) -> WaitingLink | None:
    """Return what the mailed link with this secret would do; None if it does not act any more."""
    link = await mail_links.waiting(reader, secrets.digest(text), now)
    user = await users.by_user_id(reader, link.user_id) if link else None
    if link is None or user is None or user.disabled_at is not None:
        return None
    return WaitingLink(link.purpose, link.email, user.email)


async def own_sessions(reader: Reader, user_id: int, now: int, idle_since: int) -> tuple[Session, ...]:
    """Return the user's sign-ins that may still be used, last seen first."""
    return tuple(await sessions.of_user(reader, user_id, now, idle_since))
