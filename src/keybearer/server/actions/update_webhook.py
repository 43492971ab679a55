"""Change where a webhook's events go, and which they are."""

from dataclasses import dataclass, replace

from keybearer.server import ledger
from keybearer.server.activities import Actor
from keybearer.server.records import Team, Webhook
from keybearer.server.rules.webhook_details import details_of
from keybearer.server.store import webhooks
from keybearer.server.store.database import Transaction
from keybearer.server.webhooks.changes import TypedWebhook, webhook_activity, webhook_to_change


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """
    How a webhook is to be from now on; its secret stays.

    Args:
        allows_private: whether it may lead to addresses of this network.
    """

    typed: TypedWebhook
    allows_private: bool


async def update_webhook(
    tx: Transaction, actor: Actor, team: Team, webhook_id: str, change: WebhookChange, now: int
) -> Webhook:
    """
    Change a webhook of the team; what waits to be sent goes to the new URL, as it is.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``; ``invalid``: a field is wrong, all wrong ones named.
    """
    webhook = await webhook_to_change(tx, webhook_id, team.team_id)
    url, patterns = details_of(change.typed.url, change.typed.events, allows_private=change.allows_private)
    events = " ".join(patterns)
    if (url, events) == (webhook.url, webhook.events):
        return webhook
    await webhooks.change(tx, webhook_id, url, events, now)
    await ledger.record(tx, actor, webhook_activity("webhook.changed", webhook), now)
    return replace(webhook, url=url, events=events, updated_at=now)
