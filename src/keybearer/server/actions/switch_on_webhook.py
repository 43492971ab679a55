"""Switch a webhook on again that was switched off after too many failures."""

from keybearer.server import ledger
from keybearer.server.activities import Actor
from keybearer.server.records import Team, Webhook
from keybearer.server.store import webhooks
from keybearer.server.store.database import Transaction
from keybearer.server.webhooks.changes import webhook_activity, webhook_to_change


async def switch_on_webhook(tx: Transaction, actor: Actor, team: Team, webhook_id: str, now: int) -> Webhook:
    """
    Send events to the webhook again: new ones, and those that waited when it was switched off.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``.
    """
    webhook = await webhook_to_change(tx, webhook_id, team.team_id)
    if await webhooks.switch_on(tx, webhook_id, now):
        await ledger.record(tx, actor, webhook_activity("webhook.switched_on", webhook), now)
    return webhook
