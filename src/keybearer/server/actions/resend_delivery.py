"""Send an event to a webhook once more."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals
from keybearer.server.activities import Actor
from keybearer.server.records import Team, Webhook
from keybearer.server.store import webhook_deliveries
from keybearer.server.store.database import Transaction
from keybearer.server.webhooks.changes import webhook_activity, webhook_that_is_on


@dataclass(frozen=True, slots=True)
class Named:
    """Which delivery is meant, as it stood in an address: it may be anything."""

    webhook_id: str
    delivery_id: str


async def resend_delivery(tx: Transaction, actor: Actor, team: Team, named: Named, now: int) -> Webhook:
    """
    Have a delivery that is over tried once more, with the same id and body.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``; ``conflict``: the webhook is switched off, or the delivery is waiting already.
    """
    webhook = await webhook_that_is_on(tx, named.webhook_id, team.team_id)
    if await webhook_deliveries.by_delivery_id(tx, webhook.webhook_id, named.delivery_id) is None:
        raise refusals.not_found(f"no such delivery of webhook {webhook.webhook_id}")
    if not await webhook_deliveries.send_again(tx, webhook.webhook_id, named.delivery_id, now):
        public = "This event is waiting to be sent already, so nothing was changed."
        raise refusals.Refusal("conflict", public, "delivery: waiting")
    await ledger.record(tx, actor, webhook_activity("webhook.resent", webhook), now)
    return webhook
