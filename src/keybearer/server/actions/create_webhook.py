"""Have a team's events sent to a URL."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals, secrets
from keybearer.server.activities import Actor
from keybearer.server.records import Team, Webhook
from keybearer.server.rules.webhook_details import MAX_WEBHOOKS, details_of
from keybearer.server.store import teams, webhooks
from keybearer.server.store.database import Transaction
from keybearer.server.webhooks.changes import TypedWebhook, seal_secret, webhook_activity


@dataclass(frozen=True, slots=True)
class WebhookPolicy:
    """
    What the server lets webhooks be.

    Args:
        key: seals their secrets.
        allows_private: whether they may lead to addresses of this network.
    """

    key: str
    allows_private: bool


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook, and its signing secret, shown once."""

    webhook: Webhook
    secret: str


async def create_webhook(
    tx: Transaction, actor: Actor, team: Team, typed: TypedWebhook, policy: WebhookPolicy, now: int
) -> NewWebhook:
    """
    Add a webhook to the team, switched on.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``invalid``: a field is wrong, or no more webhooks fit.
    """
    url, events = details_of(typed.url, typed.events, allows_private=policy.allows_private)
    await teams.lock(tx, team.team_id)
    if await webhooks.count_of_team(tx, team.team_id) >= MAX_WEBHOOKS:
        raise refusals.invalid("", f"The team has {MAX_WEBHOOKS} webhooks, and no more fit. Delete one first.")
    made = Webhook(
        secrets.record_id(now), team.team_id, team.environment, url, " ".join(events), 0, now, now, None, None
    )
    secret = secrets.webhook_secret()
    await webhooks.add(tx, made, seal_secret(secret, policy.key, made.webhook_id))
    await ledger.record(tx, actor, webhook_activity("webhook.created", made), now)
    return NewWebhook(made, secret)
