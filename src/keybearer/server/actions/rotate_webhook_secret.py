"""Give a webhook a new signing secret, and let the present one end."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals, secrets
from keybearer.server.activities import Actor
from keybearer.server.records import SealedSecrets, Team, Webhook
from keybearer.server.rules.lifetimes import overlap_of
from keybearer.server.store import webhooks
from keybearer.server.store.database import Transaction
from keybearer.server.webhooks.changes import seal_secret, webhook_activity, webhook_to_change


@dataclass(frozen=True, slots=True)
class WebhookRotation:
    """
    What a person chose.

    Args:
        overlap: how long the present secret goes on signing beside the new one, one of ``lifetimes.OVERLAPS``.
        key: seals secrets.
    """

    overlap: str
    key: str


@dataclass(frozen=True, slots=True)
class NewWebhookSecret:
    """A secret, shown once; the one before it signs until *previous_ends_at*, microseconds since 1970 UTC."""

    webhook: Webhook
    secret: str
    previous_ends_at: int


async def rotate_webhook_secret(
    tx: Transaction, actor: Actor, team: Team, webhook_id: str, rotation: WebhookRotation, now: int
) -> NewWebhookSecret:
    """
    Make a new secret; the present one goes on signing for the overlap, and one before that ends at once.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``; ``invalid``: no such overlap.
    """
    webhook = await webhook_to_change(tx, webhook_id, team.team_id)
    overlap = overlap_of(rotation.overlap)
    held = await webhooks.secrets_of(tx, webhook_id)
    if held is None:
        raise refusals.not_found("webhook without a secret")
    secret = secrets.webhook_secret()
    sealed = seal_secret(secret, rotation.key, webhook_id)
    kept = SealedSecrets(sealed, held.current, now + overlap) if overlap else SealedSecrets(sealed, None, None)
    await webhooks.set_secrets(tx, webhook_id, kept, now)
    await ledger.record(tx, actor, webhook_activity("webhook.secret_rotated", webhook), now)
    return NewWebhookSecret(webhook, secret, now + overlap)
