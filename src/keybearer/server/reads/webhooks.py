"""A team's webhooks and what they were sent, as the team's owners see it."""

from dataclasses import dataclass

from keybearer.server import refusals
from keybearer.server.reads.paging import Page, Paging
from keybearer.server.records import Delivery, Webhook
from keybearer.server.rules.webhook_events import CATEGORIES, EVENTS
from keybearer.server.rules.webhook_url import place_of
from keybearer.server.store import webhook_deliveries, webhooks
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class Choice:
    """A category of events to choose from: its pattern, its title, and each event with what it tells."""

    pattern: str
    title: str
    events: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WebhookDetails:
    """A webhook, the host that it leads to, and a page of its log."""

    webhook: Webhook
    host: str
    deliveries: Page[Delivery]


async def team_webhooks(reader: Reader, team_id: int) -> tuple[tuple[Webhook, str], ...]:
    """Return the team's webhooks, oldest first, each with the host that it leads to."""
    return tuple((webhook, host_of(webhook.url)) for webhook in await webhooks.of_team(reader, team_id))


async def one_webhook(reader: Reader, webhook_id: str, team_id: int) -> Webhook:
    """
    Return one of the team's webhooks.

    Args:
        webhook_id: as it stood in an address; it may be anything.

    Raises:
        Refusal: ``not_found``: also for another team's.
    """
    webhook = await webhooks.by_webhook_id(reader, webhook_id, team_id)
    if webhook is None:
        raise refusals.not_found(f"no such webhook in team {team_id}")
    return webhook


async def webhook_details(reader: Reader, webhook_id: str, team_id: int, paging: Paging) -> WebhookDetails:
    """
    Return the same, with a page of its log.

    Raises:
        Refusal: ``not_found``: also for another team's.
    """
    webhook = await one_webhook(reader, webhook_id, team_id)
    found = await webhook_deliveries.page(reader, webhook_id, paging.limit, paging.offset)
    total = await webhook_deliveries.count(reader, webhook_id)
    return WebhookDetails(webhook, host_of(webhook.url), Page(found, total))


def host_of(url: str) -> str:
    """Return the host of a webhook's URL, by which people call it."""
    place = place_of(url)
    return place.authority if place else url


def offered_events() -> tuple[Choice, ...]:
    """Return what a webhook may be told, by category."""
    return tuple(
        Choice(
            f"{category}.*",
            title,
            tuple((name, words) for name, words in EVENTS.items() if name.startswith(f"{category}.")),
        )
        for category, title in CATEGORIES.items()
    )
