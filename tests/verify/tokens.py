"""Fetched tokens and chained events, for tests of what a verifier keeps."""

from collections.abc import Sequence
from hashlib import sha256

from keybearer.wire.feed import NO_HASH, Event, Fetched, chain_hash
from keybearer.wire.packing import packed_place, packed_token
from keybearer.wire.principal import Principal

EPOCH = "e1"


def digest_of(name: str) -> bytes:
    """Return the digest of the token with this *name*."""
    return sha256(name.encode()).digest()


def fetched(
    name: str, user: int = 1, team: int = 7, *, client: str | None = None, as_of: int = 0, lasts_s: float = 1_000.0
) -> Fetched:
    """Return a token: its id is `t-<name>`, its grant's `g-<name>`; an app's has the family `f-<name>`."""
    place = packed_place(team, 70, "live", "owner", ("Ada", "ada@example.com"))
    kind = "pat" if client is None else "oat"
    token = packed_token(kind, 2_000, is_narrowed=False, ids=(f"t-{name}", f"g-{name}", "abcd"))
    principal = Principal(user, place, frozenset({"people:read"}), client, token)
    return Fetched(principal, EPOCH, as_of, None if client is None else f"f-{name}", lasts_s)


def chained(subjects: Sequence[tuple[str, str]]) -> tuple[Event, ...]:
    """Return events of these kinds and subjects, each bound to the one before, the first to none."""
    events: list[Event] = []
    hashed = NO_HASH
    for seq, (kind, subject) in enumerate(subjects, 1):
        hashed = chain_hash(hashed, seq, kind, subject, 1_000 + seq)
        events.append(Event(seq, kind, subject, 1_000 + seq, hashed))
    return tuple(events)
