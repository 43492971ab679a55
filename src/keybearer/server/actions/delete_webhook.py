"""Delete a webhook."""

from keybearer.server import ledger
from keybearer.server.activities import Actor
from keybearer.server.records import Team, Webhook
from keybearer.server.store import webhooks
from keybearer.server.store.database import Transaction
from keybearer.server.webhooks.changes import webhook_activity, webhook_to_change


async def delete_webhook(tx: Transaction, actor: Actor, team: Team, webhook_id: str, now: int) -> Webhook:
    """
    Send the webhook nothing more, also not what waits; its secrets are gone at once.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``.
    """
    webhook = await webhook_to_change(tx, webhook_id, team.team_id)
    await webhooks.delete(tx, webhook_id, now)
    await ledger.record(tx, actor, webhook_activity("webhook.deleted", webhook), now)
    return webhook
