"""Frozen rows: how data travels between store, actions and doors. Times are microseconds since 1970 UTC."""

from collections.abc import Mapping
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
class Knock:
    """A password that is about to be checked and was counted as wrong beforehand; ``user`` None: nobody's address."""

    email_digest: bytes
    device_digest: bytes
    user: User | None


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """An API that verifies the tokens of one environment; only the digest of its key is kept."""

    resource_server_id: str
    name: str
    environment: str
    last4: str
    created_at: int
    seen_at: int | None
    revoked_at: int | None


Verifier = tuple[str, str]
"""A verifier process: its resource server's id, and the random text by which it is known."""


@dataclass(frozen=True, slots=True)
class Report:
    """
    What one node knows of the verifiers that asked it within the bound.

    Args:
        epoch: the feed's lineage that this is about.
        seq: how far the feed reached when this was written; of what came later it says nothing. For a node that
            answers nobody any more, the end of all numbers.
        reached: verifier -> the newest event that it says it has applied; 0 for one that is elsewhere, or has not said.
    """

    epoch: str
    seq: int
    reached: Mapping[Verifier, int]


@dataclass(frozen=True, slots=True)
class Webhook:
    """
    A team's subscription to events, sent to a URL.

    Args:
        events: the patterns of what it is told, parted by blanks.
        failures: how many deliveries in a row have failed for good.
        previous_ends_at: until when a secret that was rotated out goes on signing; None if there is none.
    """

    webhook_id: str
    team_id: int
    environment: str
    url: str
    events: str
    failures: int
    created_at: int
    updated_at: int
    switched_off_at: int | None
    previous_ends_at: int | None


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """A webhook's signing secrets, sealed; ``previous`` goes on signing until ``previous_ends_at``."""

    current: bytes
    previous: bytes | None
    previous_ends_at: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    One event on its way to one webhook.

    Args:
        attempts: how often it was sent and the answer, or that there was none, noted.
        due_at: when it is taken up next; for one that is being sent, when another node may do so.
        answered: the status of the last answer; None if there was none, and ``trouble`` says why.
    """

    delivery_id: str
    webhook_id: str
    event: str
    body: str
    pace: str
    status: str
    attempts: int
    due_at: int
    claim_id: str | None
    created_at: int
    attempted_at: int | None
    answered: int | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Errand:
    """A delivery that this node has claimed, with all that sending it takes."""

    delivery: Delivery
    url: str
    secrets: SealedSecrets


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook's receiver answered; without a status, ``trouble`` is why, one of ``egress.TROUBLES``."""

    status: int | None
    trouble: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class LogName:
    """
    A log of activities, without its part.

    Args:
        kind: ``team``, ``user``, ``server``, or ``tree`` for the one over all the others.
        owner_id: the team's or user's number; 0 for the other two.
        month: ``2026-11``, by the server's clock in UTC; '' for the tree.
    """

    kind: str
    owner_id: int
    month: str


@dataclass(frozen=True, slots=True)
class ActivityLog:
    """
    One log as it stands.

    Args:
        part: from 1; the next one begins when this is frozen.
        root: of the tree over *size* records, 32 bytes.
        min_index: the first record that is still kept.
        frozen_why: why nothing is added to it or signed any more; None for a sound one.
    """

    log_id: int
    origin: str
    kind: str
    team_id: int | None
    user_id: int | None
    month: str
    part: int
    size: int
    root: bytes
    min_index: int
    frozen_at: int | None
    frozen_why: str | None

    @property
    def name(self) -> LogName:
        """The name that its parts share."""
        return LogName(self.kind, self.team_id or self.user_id or 0, self.month)


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """
    Which records of a team's activity are wanted; None leaves a question open, but never which team.

    Args:
        since, until: microseconds since 1970 UTC, the latter not included.
    """

    team_id: int
    user_id: int | None = None
    token_id: str | None = None
    client_id: str | None = None
    action: str | None = None
    outcome: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records fell into one stretch of time; *others* were refused, or failed."""

    stretch: int
    done: int
    others: int
