"""The feed of changes as verifiers see it: events, whom each concerns, questions and answers."""

import hashlib
from dataclasses import dataclass
from typing import Final

from keybearer.wire.principal import Principal

NO_HASH: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Event:
    """
    One numbered change; *hash* binds it to all that came before.

    Args:
        kind: ``<noun>.changed``, ``<noun>.ended`` (for good) or ``<noun>.deleted``.
        subject: whom it concerns, for `reach_of`.
        at: microseconds since 1970 UTC.
        hash: SHA-256, 32 bytes.
    """

    seq: int
    kind: str
    subject: str
    at: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the feed: everything up to *seq*, in the lineage *epoch*; *hash* is that event's."""

    epoch: str
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class SyncQuestion:
    """What has happened since my position?"""

    nonce: str
    position: Position


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """
    The feed's head, and what came after the position that was asked about.

    Args:
        head: where the feed stood in the snapshot that this was read from.
        events: those after the question's position, the oldest first; perhaps not all of them.
        is_reset: the position is not one of this feed's: forget everything and begin at *head*.
        age_s: how long before the answer the snapshot was begun, seconds of the node's own clock.
    """

    nonce: str
    head: Position
    events: tuple[Event, ...]
    is_reset: bool
    age_s: float


@dataclass(frozen=True, slots=True)
class Fetched:
    """
    An accepted token as one snapshot had it.

    Args:
        epoch: the snapshot's lineage.
        as_of: the feed's head in the snapshot.
        family_id: None for a personal token.
        remaining_s: seconds that were left of the token's life.
    """

    principal: Principal
    epoch: str
    as_of: int
    family_id: str | None
    remaining_s: float

    @property
    def mortal_ids(self) -> tuple[str, ...]:
        """The ids whose end is the token's end."""
        ids = (self.principal.token_id, self.principal.grant_id)
        return ids if self.family_id is None else (*ids, self.family_id)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose tokens an event concerns: all that match every part that is given; none given means all there are."""

    user_id: int | None = None
    team_id: int | None = None
    client_id: str | None = None
    grant_id: str | None = None


EVERYTHING: Final = Reach()


def chain_hash(before: bytes, seq: int, kind: str, subject: str, at: int) -> bytes:
    """
    Return the hash that binds an event to all that came before it.

    Args:
        before: the hash of the event with the number ``seq - 1``, 32 bytes.
        at: microseconds since 1970 UTC.

    Source: coherence.md 5.2, S2.
    """
    return hashlib.sha256(before + f"{seq}\n{kind}\n{subject}\n{at}".encode()).digest()


def reach_of(subject: str) -> Reach | None:
    """
    Tell whose tokens an event with this *subject* concerns; None: nobody's (a web session, a verifier's key).

    What cannot be read concerns everybody: better that all is asked for again than that one token is overlooked.

    Source: coherence.md 5.3, V2 (unknown and malformed events).
    """
    noun, *parts = subject.split(":")
    try:
        match noun, parts:
            case (("token" | "family"), [_, grant_id, user_id, team_id]):
                return Reach(int(user_id), int(team_id), None, _named(grant_id))
            case "grant", [grant_id, user_id, team_id]:
                return Reach(int(user_id), int(team_id), None, _named(grant_id))
            case "membership", [user_id, team_id]:
                return Reach(int(user_id), int(team_id))
            case "user", [user_id]:
                return Reach(int(user_id))
            case "team", [team_id]:
                return Reach(None, int(team_id))
            case "client", [client_id]:
                return Reach(client_id=_named(client_id))
            case (("session" | "resource_server"), [_]):
                return None
    except ValueError:
        return EVERYTHING
    return EVERYTHING


def ended_id(event: Event) -> str | None:
    """Return the id of the token, family or grant that this event ends for good; None if it ends none."""
    noun, _, verb = event.kind.partition(".")
    if noun not in {"token", "family", "grant"} or verb not in {"ended", "deleted"}:
        return None
    parts = event.subject.split(":")
    return parts[1] if len(parts) > 1 and parts[0] == noun else None


def _named(text: str) -> str:
    if not text:
        raise ValueError("an id is blank")
    return text
