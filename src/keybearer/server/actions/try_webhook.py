"""Send a test event to a webhook."""

from keybearer.server import ledger
from keybearer.server.activities import Actor
from keybearer.server.records import Team, Webhook
from keybearer.server.store.database import Transaction
from keybearer.server.webhooks import outbox
from keybearer.server.webhooks.changes import webhook_activity, webhook_that_is_on


async def try_webhook(tx: Transaction, actor: Actor, team: Team, webhook_id: str, now: int) -> Webhook:
    """
    Put down a test event, to be tried once; whether it is taken counts for nothing.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``; ``conflict``: the webhook is switched off.
    """
    webhook = await webhook_that_is_on(tx, webhook_id, team.team_id)
    await outbox.put_test(tx, webhook, actor, now)
    await ledger.record(tx, actor, webhook_activity("webhook.tested", webhook), now)
    return webhook
