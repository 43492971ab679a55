"""Users, teams, places in them, and how people sign in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """A person; ``email_key`` is for comparing addresses, ``operator_at`` tells since when they run this server."""

    user_id: int
    email: str
    email_key: str
    name: str
    password_hash: str
    verified_at: int | None
    disabled_at: int | None
    created_at: int
    updated_at: int
    operator_at: int | None


@dataclass(frozen=True, slots=True)
class Team:
    """A team, in one environment for good."""

    team_id: int
    identifier: str
    uuid: str
    name: str
    environment: str
    contact: str
    telephone: str | None
    tier: str
    logo: str | None
    supported_at: int | None
    created_at: int
    updated_at: int
    archived_at: int | None


@dataclass(frozen=True, slots=True)
class Member:
    """A user's place in a team, with the user's name and address as they are now; ``role`` is None once they left."""

    membership_id: int
    team_id: int
    user_id: int
    role: str | None
    expires_at: int | None
    joined_at: int
    left_at: int | None
    name: str
    email: str
    disabled_at: int | None

    def role_at(self, now: int) -> str | None:
        """Return the role at *now*; None once they left or a time-limited role has ended."""
        return None if self.expires_at is not None and self.expires_at <= now else self.role


@dataclass(frozen=True, slots=True)
class Session:
    """A person's sign-in in one browser; ``team_id`` is the active team."""

    session_id: str
    user_id: int
    team_id: int | None
    user_agent: str
    address: str
    created_at: int
    authenticated_at: int
    seen_at: int
    expires_at: int
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class MailLink:
    """A link that was mailed and acts once."""

    digest: bytes
    purpose: str
    user_id: int
    email: str
    created_at: int
    expires_at: int
    used_at: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """A user's present place in a team: the role there, and when a time-limited one ends."""

    team: Team
    role: str
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often a password was wrong in a row, and until when no other is tried."""

    failures: int
    failed_at: int
    blocked_until: int


@dataclass(frozen=True, slots=True)
class PasswordAttempt:
    """A password that is about to be checked, counted as wrong beforehand; ``user`` is None for an unknown address."""

    email_digest: bytes
    device_digest: bytes
    user: User | None
