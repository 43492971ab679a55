"""Note how sending an event to a webhook went, and what follows from it."""

from keybearer.server import ledger
from keybearer.server.activities import SERVER_ITSELF
from keybearer.server.records import Answer, Delivery
from keybearer.server.rules.redelivery import MOST_FAILURES, Pace, Status, is_taken, next_delay
from keybearer.server.store import webhook_deliveries, webhooks
from keybearer.server.store.database import Transaction
from keybearer.server.store.webhook_deliveries import Result
from keybearer.server.webhooks.changes import webhook_activity


async def settle_delivery(tx: Transaction, claimed: Delivery, answer: Answer, now: int) -> bool:
    """
    Note an answer: delivered; or to be tried again; or failed for good, which may switch the webhook off.

    Args:
        claimed: as this node took it.
        now: microseconds since 1970 UTC, after the answer.

    Returns:
        False: the claim had ended, and another node has taken the delivery since. It is for that node to note.
    """
    attempt, pace = claimed.attempts + 1, Pace(claimed.pace)
    delay = None if is_taken(answer.status) else next_delay(pace, attempt)
    status = Status.DELIVERED if is_taken(answer.status) else Status.FAILED if delay is None else Status.WAITING
    result = Result(status, attempt, now + (delay or 0), answer.status, answer.trouble)
    assert claimed.claim_id is not None  # noqa: S101 - taken by `claim_deliveries`
    if not await webhook_deliveries.settle(tx, claimed.delivery_id, claimed.claim_id, result, now):
        return False
    if status is Status.DELIVERED:
        await webhooks.forget_failures(tx, claimed.webhook_id)
    elif status is Status.FAILED and pace is Pace.SCHEDULE:
        await _count_failure(tx, claimed, now)
    return True


async def _count_failure(tx: Transaction, failed: Delivery, now: int) -> None:
    """Count one more in a row, and switch the webhook off at the tenth."""
    webhook = await webhooks.count_failure(tx, failed.webhook_id)
    if webhook is None or webhook.failures < MOST_FAILURES:
        return
    await webhooks.switch_off(tx, webhook.webhook_id, now)
    await ledger.record(tx, SERVER_ITSELF, webhook_activity("webhook.switched_off", webhook), now)
