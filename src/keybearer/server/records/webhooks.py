"""Webhooks, and what is delivered to them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Webhook:
    """
    A team's subscription to events, sent to a URL.

    Args:
        events: the patterns of what it is told, separated by spaces.
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
        attempts: how many were noted, whether they were answered or not.
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
class DueWebhook:
    """A webhook that has something to be sent, and whose it is."""

    webhook_id: str
    team_id: int


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that this node has claimed, with all that sending it takes."""

    delivery: Delivery
    team_id: int
    url: str
    secrets: SealedSecrets


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook's receiver answered; without a status, ``trouble`` is why, one of ``egress.TROUBLES``."""

    status: int | None
    trouble: str | None = None
