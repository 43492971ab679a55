"""Making tokens for a grant: texts for the bearer, digests for the store."""

from dataclasses import dataclass

from keybearer.server import secrets
from keybearer.server.store import tokens
from keybearer.server.store.database import Transaction
from keybearer.wire import token_text


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long what is issued lives, in microseconds; from the settings."""

    access_token: int
    personal_token: int
    refresh_token: int
    refresh_idle: int
    code: int


@dataclass(frozen=True, slots=True)
class Mint:
    """What a token's text needs besides chance."""

    prefix: str
    environment: str

    def text(self, kind: str) -> str:
        """Make the text of a new token of this *kind* (a key of ``token_text.KINDS``)."""
        return token_text.compose(self.prefix, kind, self.environment, secrets.random_secret())


@dataclass(frozen=True, slots=True)
class Hangs:
    """Where a token hangs: its grant, and for OAuth the family and the pair; and how far it is narrowed."""

    grant_id: str
    family_id: str | None
    pair_id: str | None
    narrowing: str
    scope: str


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and its refresh token, as the client gets them; ``scope`` is '' when nothing is narrowed."""

    access_text: str
    refresh_text: str
    expires_in_s: int
    scope: str


async def keep_token(tx: Transaction, text: str, hangs: Hangs, now: int, expires_at: int) -> str:
    """
    Store the token of this *text* (its digest and last four characters) and return its id.

    Args:
        expires_at: microseconds since 1970 UTC.
    """
    parsed = token_text.parse(text)
    assert parsed is not None  # noqa: S101 - it comes from a Mint
    token_id = secrets.record_id(now)
    await tokens.add(
        tx,
        {
            "token_id": token_id,
            "digest": secrets.digest(text),
            "kind": parsed.kind,
            "last4": parsed.last4,
            "grant_id": hangs.grant_id,
            "family_id": hangs.family_id,
            "pair_id": hangs.pair_id,
            "narrowing": hangs.narrowing,
            "scope": hangs.scope,
            "created_at": now,
            "expires_at": expires_at,
            "revoked_at": None,
            "used_at": None,
            "successor_pair_id": None,
            "sealed_successor": None,
            "last_used_at": None,
        },
    )
    return token_id
