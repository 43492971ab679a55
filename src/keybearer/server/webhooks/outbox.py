"""Deliveries to webhooks, written in the transaction of the change they tell of, and sent later."""

import json
from collections.abc import Sequence

from keybearer.server import secrets
from keybearer.server.activities import Activity, Actor
from keybearer.server.clock import as_wire
from keybearer.server.records import Delivery, Webhook
from keybearer.server.rules.redelivery import Pace, Status
from keybearer.server.rules.webhook_events import EVENTS, TEST, is_told
from keybearer.server.store import webhook_deliveries, webhooks
from keybearer.server.store.database import Transaction

Made = tuple[Actor, Activity]


async def put(tx: Transaction, made: Sequence[Made], now: int) -> None:
    """
    Put down one delivery for each change and each webhook of its team that is to be told of it.

    Args:
        now: microseconds since 1970 UTC.
    """
    told = [(actor, activity) for actor, activity in made if activity.action in EVENTS and activity.outcome == "done"]
    team_ids = {activity.team_id for _, activity in told if activity.team_id is not None}
    if not team_ids:
        return
    listening = await webhooks.listening(tx, team_ids)
    deliveries: list[tuple[Delivery, str]] = []
    for actor, activity in told if listening else ():
        event_id = secrets.record_id(now)
        deliveries += [
            (_delivery(webhook, activity.action, _data(actor, activity), Pace.SCHEDULE, now), event_id)
            for webhook in listening
            if webhook.team_id == activity.team_id and is_told(webhook.events.split(), activity.action)
        ]
    if deliveries:
        await webhook_deliveries.add_all(tx, deliveries)


async def put_test(tx: Transaction, webhook: Webhook, actor: Actor, now: int) -> None:
    """Put down a delivery that tells of nothing, to be tried once."""
    nothing = Activity(TEST, f"webhook:{webhook.webhook_id}", team_id=webhook.team_id, environment=webhook.environment)
    delivery = _delivery(webhook, TEST, _data(actor, nothing), Pace.ONCE, now)
    await webhook_deliveries.add_all(tx, [(delivery, delivery.delivery_id)])


def _delivery(webhook: Webhook, event: str, data: dict[str, object], pace: Pace, now: int) -> Delivery:
    """Return a delivery that is due at once; its body is written here, once, so each sending is the same."""
    body = {
        "webhook": {
            "uuid": webhook.webhook_id,
            "created_at": as_wire(webhook.created_at),
            "events": webhook.events.split(),
        },
        "trigger": {"triggered_at": as_wire(now), "alias": event},
        "data": data,
    }
    written = json.dumps(body, separators=(",", ":"))
    delivery_id = secrets.record_id(now)
    waiting = (pace, Status.WAITING, 0, now, None, now, None, None, None)
    return Delivery(delivery_id, webhook.webhook_id, event, written, *waiting)


def _data(actor: Actor, activity: Activity) -> dict[str, object]:
    """Return who did what to what, by ids alone: what they mean, the receiver asks the API, with a token that may."""
    ends = {} if activity.ends_at is None else {"expires_at": as_wire(activity.ends_at)}
    return {
        "subject": activity.subject,
        "team": activity.team_id,
        "environment": activity.environment,
        "user": activity.user_id if activity.user_id is not None else actor.user_id,
        "client": activity.client_id or actor.client_id,
        "grant": activity.grant_id,
        "token": activity.token_id or actor.token_id,
        **ends,
    }
