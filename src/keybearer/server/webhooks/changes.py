"""Finding a webhook to change it, the record of that, and its secrets as they are kept: sealed."""

from collections.abc import Sequence
from dataclasses import dataclass

from keybearer.server import refusals, secrets
from keybearer.server.activities import Activity
from keybearer.server.records import Webhook
from keybearer.server.store import webhooks
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class TypedWebhook:
    """
    What a person typed and chose.

    Args:
        events: patterns: names of events, ``category.*``, ``*``.
    """

    url: str
    events: Sequence[str]


async def webhook_to_change(tx: Transaction, webhook_id: str, team_id: int) -> Webhook:
    """
    Return the team's webhook, and let nobody else change it until this transaction ends.

    Args:
        webhook_id: as it stood in an address; it may be anything.

    Raises:
        Refusal: ``not_found``: also for another team's.
    """
    webhook = await webhooks.lock(tx, webhook_id, team_id)
    if webhook is None:
        raise refusals.not_found(f"no such webhook in team {team_id}")
    return webhook


async def webhook_that_is_on(tx: Transaction, webhook_id: str, team_id: int) -> Webhook:
    """
    Return the same, if it is switched on.

    Raises:
        Refusal: ``not_found``; ``conflict``: it is switched off.
    """
    webhook = await webhook_to_change(tx, webhook_id, team_id)
    if webhook.switched_off_at is not None:
        public = "The webhook is switched off, so nothing was sent. Go back and switch it on first."
        raise refusals.Refusal("conflict", public, "webhook: off")
    return webhook


def webhook_activity(action: str, webhook: Webhook) -> Activity:
    """Return the record of an *action* on the webhook; whose doing it is, the actor says."""
    subject = f"webhook:{webhook.webhook_id}"
    return Activity(action, subject, team_id=webhook.team_id, environment=webhook.environment)


def seal_secret(secret: str, key: str, webhook_id: str) -> bytes:
    """
    Return a signing secret as it is kept: it opens only with the server's *key*, and only for this webhook.

    A secret that signs has to be readable, so it cannot be kept as a digest.
    """
    return secrets.seal(secret, key, _purpose(webhook_id))


def unseal_secret(sealed: bytes, key: str, webhook_id: str) -> str:
    """
    Return the signing secret.

    Raises:
        cryptography.exceptions.InvalidTag: it was sealed under another key.
    """
    return secrets.unseal(sealed, key, _purpose(webhook_id))


def _purpose(webhook_id: str) -> str:
    return f"keybearer: the signing secret of webhook {webhook_id}"
