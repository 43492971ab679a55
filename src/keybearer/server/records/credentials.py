"""Apps, and what acts in a user's name: grants, tokens, codes, and logins that wait."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """An app registered for OAuth; it belongs to one team and so to one environment."""

    client_id: str
    team_id: int
    environment: str
    name: str
    kind: str
    pkce: str
    created_by: int
    twin_of: str | None
    created_at: int
    updated_at: int
    deleted_at: int | None


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """One of a client's secrets; only its digest is kept."""

    secret_id: str
    client_id: str
    digest: bytes
    last4: str
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Grant:
    """This user lets whoever bears its tokens act as them in this one team; ``client_id`` None is a personal token."""

    grant_id: str
    user_id: int
    team_id: int
    environment: str
    client_id: str | None
    name: str | None
    created_at: int
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class Family:
    """What one consent started: a code and the tokens that follow from it."""

    family_id: str
    grant_id: str
    narrowing: str
    scope: str
    created_at: int
    expires_at: int
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class FamilyStanding:
    """A family with its grant, user, team and membership, as one snapshot has them."""

    family_id: str
    grant_id: str
    narrowing: str
    scope: str
    created_at: int
    expires_at: int
    ended_at: int | None
    user_id: int
    team_id: int
    environment: str
    grant_ended_at: int | None
    user_disabled_at: int | None
    team_archived_at: int | None
    role: str | None
    membership_expires_at: int | None


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code; ``redirect_uri_sent`` tells if the request named its redirect URI (RFC 6749 §4.1.3)."""

    digest: bytes
    family_id: str
    client_id: str
    redirect_uri: str
    redirect_uri_sent: str
    challenge: str | None
    created_at: int
    expires_at: int
    used_at: int | None


@dataclass(frozen=True, slots=True)
class HeldRefresh:
    """A refresh token as the server holds it, with what decides whether it may still be used."""

    digest: bytes
    token_id: str
    grant_id: str
    family_id: str
    pair_id: str
    narrowing: str
    scope: str
    expires_at: int
    revoked_at: int | None
    used_at: int | None
    successor_pair_id: str | None
    sealed_successor: bytes | None
    client_id: str
    environment: str
    user_id: int
    team_id: int
    grant_ended_at: int | None
    family_ended_at: int | None
    family_expires_at: int
    user_disabled_at: int | None
    team_archived_at: int | None
    role: str | None
    membership_expires_at: int | None
    successor_used_at: int | None


@dataclass(frozen=True, slots=True)
class Succession:
    """
    A refresh token, with its pair, and the pair that follows it.

    Args:
        sealed_successor: the new pair's texts, encrypted under a key that only the old text gives.
    """

    token_id: str
    pair_id: str
    successor_pair_id: str
    sealed_successor: bytes


@dataclass(frozen=True, slots=True)
class IssuedAccess:
    """An access token as its pair's answer told of it."""

    token_id: str
    narrowing: str
    scope: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token of any kind, and whose it is; ``client_id`` and ``family_id`` are None for a personal one."""

    token_id: str
    kind: str
    last4: str
    family_id: str | None
    grant_id: str
    client_id: str | None
    user_id: int
    team_id: int
    environment: str


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization request that waits for its user's consent."""

    digest: bytes
    session_id: str
    client_id: str
    redirect_uri: str
    redirect_uri_sent: str
    state: str | None
    narrowing: str
    scope: str
    challenge: str | None
    created_at: int
    expires_at: int
    used_at: int | None
