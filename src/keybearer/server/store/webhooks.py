"""Webhooks: a team's subscriptions, with their sealed secrets; a deleted one stays as a row until its log has gone."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, func, insert, select, update

from keybearer.server.records import DueWebhook, SealedSecrets, Webhook
from keybearer.server.store.database import Reader, Row, Transaction
from keybearer.server.store.rows import as_row, total
from keybearer.server.store.tables import memberships, teams, users, webhook_deliveries, webhooks

_COLUMNS = [webhooks.c[name] for name in Webhook.__dataclass_fields__]
_IS_THERE = webhooks.c.deleted_at.is_(None)
_IS_ON = _IS_THERE & webhooks.c.switched_off_at.is_(None)
_IS_THE_ONE = (webhooks.c.webhook_id == bindparam("the_webhook")) & _IS_THERE
_HAS_DUE = (
    select(webhook_deliveries.c.delivery_id)
    .where(
        webhook_deliveries.c.webhook_id == webhooks.c.webhook_id,
        webhook_deliveries.c.status == "waiting",
        webhook_deliveries.c.due_at <= bindparam("now"),
    )
    .exists()
)

_BY_ID = select(*_COLUMNS).where(_IS_THE_ONE, webhooks.c.team_id == bindparam("team_id"))
_LOCK = _BY_ID.with_for_update()
_OF_TEAM = (
    select(*_COLUMNS)
    .where(webhooks.c.team_id == bindparam("team_id"), _IS_THERE)
    .order_by(webhooks.c.created_at, webhooks.c.webhook_id)
)
_LISTENING = select(*_COLUMNS).where(webhooks.c.team_id == bindparam("team_id"), _IS_ON).order_by(webhooks.c.webhook_id)
_LISTENING_OF_MANY = (
    select(*_COLUMNS)
    .where(webhooks.c.team_id.in_(bindparam("team_ids", expanding=True)), _IS_ON)
    .order_by(webhooks.c.webhook_id)
)
_COUNT = (
    select(func.count().label("total"))
    .select_from(webhooks)
    .where(webhooks.c.team_id == bindparam("team_id"), _IS_THERE)
)
_WITH_DUE = (
    select(webhooks.c.webhook_id, webhooks.c.team_id)
    .where(
        _IS_ON,
        webhooks.c.webhook_id > bindparam("after"),
        webhooks.c.webhook_id.not_in(bindparam("busy", expanding=True)),
        webhooks.c.team_id.not_in(bindparam("busy_teams", expanding=True)),
        _HAS_DUE,
    )
    .order_by(webhooks.c.webhook_id)
    .limit(bindparam("limit"))
)
_SECRETS = select(
    webhooks.c.team_id,
    webhooks.c.url,
    webhooks.c.sealed_secret,
    webhooks.c.sealed_previous,
    webhooks.c.previous_ends_at,
).where(_IS_THE_ONE)
_TO_SEND = _SECRETS.where(_IS_ON)

_ADD = insert(webhooks)
_CHANGE = (
    update(webhooks)
    .where(_IS_THE_ONE)
    .values(url=bindparam("to_url"), events=bindparam("to_events"), updated_at=bindparam("now"))
)
_ROTATE = (
    update(webhooks)
    .where(_IS_THE_ONE)
    .values(
        sealed_secret=bindparam("secret"),
        sealed_previous=bindparam("previous"),
        previous_ends_at=bindparam("ends_at"),
        updated_at=bindparam("now"),
    )
)
_SWITCH_ON = (
    update(webhooks)
    .where(_IS_THE_ONE, webhooks.c.switched_off_at.is_not(None))
    .values(switched_off_at=None, tell_at=None, failures=0, updated_at=bindparam("now"))
)
_COUNT_FAILURE = (
    update(webhooks).where(_IS_THE_ONE, _IS_ON).values(failures=webhooks.c.failures + 1).returning(*_COLUMNS)
)
_FORGET_FAILURES = update(webhooks).where(_IS_THE_ONE, webhooks.c.failures != 0).values(failures=0)
_SWITCH_OFF = (
    update(webhooks)
    .where(_IS_THE_ONE, _IS_ON)
    .values(switched_off_at=bindparam("now"), tell_at=bindparam("now"), updated_at=bindparam("now"))
)
_DELETE = (
    update(webhooks)
    .where(_IS_THE_ONE)
    .values(
        sealed_secret=None,
        sealed_previous=None,
        previous_ends_at=None,
        tell_at=None,
        deleted_at=bindparam("now"),
        updated_at=bindparam("now"),
    )
)
_TO_TELL = (
    select(*_COLUMNS)
    .where(_IS_THERE, webhooks.c.tell_at <= bindparam("now"))
    .order_by(webhooks.c.webhook_id)
    .limit(bindparam("limit"))
)
_CLAIM_TELLING = (
    update(webhooks).where(_IS_THE_ONE, webhooks.c.tell_at <= bindparam("now")).values(tell_at=bindparam("until"))
)
_TOLD = update(webhooks).where(_IS_THE_ONE, webhooks.c.tell_at == bindparam("until")).values(tell_at=None)
_OWNERS = (
    select(users.c.email)
    .join(memberships, memberships.c.user_id == users.c.user_id)
    .join(teams, teams.c.team_id == memberships.c.team_id)
    .where(
        memberships.c.team_id == bindparam("team_id"),
        memberships.c.role == "owner",
        users.c.disabled_at.is_(None),
        teams.c.archived_at.is_(None),
    )
    .order_by(users.c.user_id)
)


async def by_webhook_id(reader: Reader, webhook_id: str, team_id: int) -> Webhook | None:
    """Return the team's webhook of this id; None if there is none, or it is deleted or another team's."""
    row = await reader.one(_BY_ID, the_webhook=webhook_id, team_id=team_id)
    return Webhook(**row) if row else None


async def lock(tx: Transaction, webhook_id: str, team_id: int) -> Webhook | None:
    """Return the team's webhook of this id, and let nobody else change it until this transaction ends."""
    row = await tx.one(_LOCK, the_webhook=webhook_id, team_id=team_id)
    return Webhook(**row) if row else None


async def of_team(reader: Reader, team_id: int) -> list[Webhook]:
    """Return the team's webhooks, oldest first."""
    return [Webhook(**row) for row in await reader.many(_OF_TEAM, team_id=team_id)]


async def listening(reader: Reader, team_ids: Collection[int]) -> list[Webhook]:
    """
    Return the webhooks of these teams that are switched on.

    Every change asks this, nearly every one about a single team: that statement's text does not depend on how many.
    """
    if len(team_ids) == 1:
        rows = await reader.many(_LISTENING, team_id=next(iter(team_ids)))
    else:
        rows = await reader.many(_LISTENING_OF_MANY, team_ids=sorted(team_ids))
    return [Webhook(**row) for row in rows]


async def count_of_team(reader: Reader, team_id: int) -> int:
    """Return how many webhooks the team has."""
    return await total(reader, _COUNT, team_id=team_id)


@dataclass(frozen=True, slots=True)
class Busy:
    """Webhooks, and teams with all of theirs, that get nothing more for now."""

    webhooks: Collection[str]
    teams: Collection[int]


async def with_due(reader: Reader, now: int, after: str, busy: Busy, limit: int) -> list[DueWebhook]:
    """
    Return the webhooks that have something to be sent at *now*, in the order of their ids.

    Args:
        after: only those with a greater id.
        busy: not these.
    """
    excepted = {"busy": sorted(busy.webhooks) or [""], "busy_teams": sorted(busy.teams) or [0]}
    return [DueWebhook(**row) for row in await reader.many(_WITH_DUE, now=now, after=after, limit=limit, **excepted)]


async def to_send(reader: Reader, webhook_id: str) -> tuple[int, str, SealedSecrets] | None:
    """Return the team, the URL and the sealed secrets of a webhook that is switched on; None if it is not."""
    row = await reader.one(_TO_SEND, the_webhook=webhook_id)
    return (row["team_id"], row["url"], _secrets_in(row)) if row else None


async def secrets_of(reader: Reader, webhook_id: str) -> SealedSecrets | None:
    """Return the sealed secrets of a webhook; None if it was deleted."""
    row = await reader.one(_SECRETS, the_webhook=webhook_id)
    return _secrets_in(row) if row else None


def _secrets_in(row: Row) -> SealedSecrets:
    return SealedSecrets(row["sealed_secret"], row["sealed_previous"], row["previous_ends_at"])


async def add(tx: Transaction, webhook: Webhook, sealed_secret: bytes) -> None:
    """Keep a new webhook, switched on."""
    await tx.run(_ADD, **as_row(webhook), sealed_secret=sealed_secret)


async def change(tx: Transaction, webhook_id: str, url: str, events: str, now: int) -> None:
    """Change the URL, and which events are sent to it."""
    await tx.run(_CHANGE, the_webhook=webhook_id, to_url=url, to_events=events, now=now)


async def set_secrets(tx: Transaction, webhook_id: str, secrets: SealedSecrets, now: int) -> None:
    """Replace the present secrets by these."""
    await tx.run(
        _ROTATE,
        the_webhook=webhook_id,
        secret=secrets.current,
        previous=secrets.previous,
        ends_at=secrets.previous_ends_at,
        now=now,
    )


async def switch_on(tx: Transaction, webhook_id: str, now: int) -> bool:
    """Switch the webhook on with no failures counted; False if it is on."""
    return await tx.run(_SWITCH_ON, the_webhook=webhook_id, now=now) == 1


async def count_failure(tx: Transaction, webhook_id: str) -> Webhook | None:
    """Count a delivery that failed for good; None if the webhook is not there or not on."""
    row = await tx.one(_COUNT_FAILURE, the_webhook=webhook_id)
    return Webhook(**row) if row else None


async def forget_failures(tx: Transaction, webhook_id: str) -> None:
    """Count failures from zero again: a delivery was taken."""
    await tx.run(_FORGET_FAILURES, the_webhook=webhook_id)


async def switch_off(tx: Transaction, webhook_id: str, now: int) -> None:
    """Send nothing more, and have the owners told."""
    await tx.run(_SWITCH_OFF, the_webhook=webhook_id, now=now)


async def delete(tx: Transaction, webhook_id: str, now: int) -> None:
    """Delete the webhook; its secrets are gone at once."""
    await tx.run(_DELETE, the_webhook=webhook_id, now=now)


async def to_tell(reader: Reader, now: int, limit: int) -> list[Webhook]:
    """Return webhooks that were switched off and whose owners are to be told."""
    return [Webhook(**row) for row in await reader.many(_TO_TELL, now=now, limit=limit)]


async def claim_telling(tx: Transaction, webhook_id: str, now: int, until: int) -> bool:
    """Claim, until *until*, that this node tells the owners; False if another has claimed it."""
    return await tx.run(_CLAIM_TELLING, the_webhook=webhook_id, now=now, until=until) == 1


async def note_told(tx: Transaction, webhook_id: str, until: int) -> None:
    """Keep that the owners were told, by the node whose claim lasts until *until*."""
    await tx.run(_TOLD, the_webhook=webhook_id, until=until)


async def owners_addresses(reader: Reader, team_id: int) -> list[str]:
    """Return the addresses of the team's owners who are not suspended."""
    return [row["email"] for row in await reader.many(_OWNERS, team_id=team_id)]
