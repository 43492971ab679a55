"""Deliveries: the outbox of what webhooks are told, and the log of how that went."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, func, insert, select, update

from keybearer.server.records import Delivery
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.rows import as_row, total
from keybearer.server.store.tables import webhook_deliveries as deliveries

_COLUMNS = [deliveries.c[name] for name in Delivery.__dataclass_fields__]
_IS_OF_WEBHOOK = deliveries.c.webhook_id == bindparam("webhook_id")
_IS_THE_ONE = _IS_OF_WEBHOOK & (deliveries.c.delivery_id == bindparam("delivery_id"))

_ADD = insert(deliveries)
_BY_ID = select(*_COLUMNS).where(_IS_THE_ONE)
_PAGE = (
    select(*_COLUMNS)
    .where(_IS_OF_WEBHOOK)
    .order_by(deliveries.c.delivery_id.desc())
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
_COUNT = select(func.count().label("total")).select_from(deliveries).where(_IS_OF_WEBHOOK)
_DUE = (
    select(*_COLUMNS)
    .where(_IS_OF_WEBHOOK, deliveries.c.status == "waiting", deliveries.c.due_at <= bindparam("now"))
    .order_by(deliveries.c.due_at, deliveries.c.delivery_id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(deliveries)
    .where(deliveries.c.delivery_id.in_(bindparam("taken", expanding=True)))
    .values(claim_id=bindparam("by_claim"), due_at=bindparam("until"))
)
_SETTLE = (
    update(deliveries)
    .where(deliveries.c.delivery_id == bindparam("the_delivery"), deliveries.c.claim_id == bindparam("by_claim"))
    .values(
        status=bindparam("to_status"),
        attempts=bindparam("to_attempts"),
        due_at=bindparam("next_at"),
        claim_id=None,
        attempted_at=bindparam("now"),
        answered=bindparam("answer"),
        trouble=bindparam("met"),
    )
)
_AGAIN = (
    update(deliveries)
    .where(
        deliveries.c.webhook_id == bindparam("the_webhook"),
        deliveries.c.delivery_id == bindparam("the_delivery"),
        deliveries.c.status != "waiting",
    )
    .values(status="waiting", pace="once", due_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt went, and what follows from it; times are microseconds since 1970 UTC."""

    status: str
    attempts: int
    due_at: int
    answered: int | None
    trouble: str | None


async def add_all(tx: Transaction, added: Sequence[tuple[Delivery, str]]) -> None:
    """
    Keep new deliveries.

    Args:
        added: each with the id of the event that it tells of.

    Raises:
        Conflict: ``uq_webhook_deliveries_webhook_id_event_id``: the webhook is told of that event already.
    """
    await tx.run_all(_ADD, [as_row(delivery) | {"event_id": event_id} for delivery, event_id in added])


async def by_delivery_id(reader: Reader, webhook_id: str, delivery_id: str) -> Delivery | None:
    """Return the delivery of this id, if it is this webhook's."""
    row = await reader.one(_BY_ID, webhook_id=webhook_id, delivery_id=delivery_id)
    return Delivery(**row) if row else None


async def page(reader: Reader, webhook_id: str, limit: int, offset: int) -> list[Delivery]:
    """Return the webhook's deliveries, newest first."""
    return [Delivery(**row) for row in await reader.many(_PAGE, webhook_id=webhook_id, limit=limit, offset=offset)]


async def count(reader: Reader, webhook_id: str) -> int:
    """Return how many deliveries the webhook's log has."""
    return await total(reader, _COUNT, webhook_id=webhook_id)


async def claim(tx: Transaction, webhook_id: str, claim_id: str, period: tuple[int, int], limit: int) -> list[Delivery]:
    """
    Take up to *limit* of the webhook's due deliveries, so that no other node sends them meanwhile.

    Args:
        claim_id: nobody else's.
        period: now, and when another node may take them; microseconds since 1970 UTC.
    """
    now, until = period
    due = [Delivery(**row) for row in await tx.many(_DUE, webhook_id=webhook_id, now=now, limit=limit)]
    if due:
        await tx.run(_CLAIM, taken=[delivery.delivery_id for delivery in due], by_claim=claim_id, until=until)
    return [replace(delivery, claim_id=claim_id, due_at=until) for delivery in due]


async def settle(tx: Transaction, delivery_id: str, claim_id: str, result: Result, now: int) -> bool:
    """Note how the attempt of this claim went; False if another node has taken the delivery since."""
    noted = await tx.run(
        _SETTLE,
        the_delivery=delivery_id,
        by_claim=claim_id,
        to_status=result.status,
        to_attempts=result.attempts,
        next_at=result.due_at,
        now=now,
        answer=result.answered,
        met=result.trouble,
    )
    return noted == 1


async def send_again(tx: Transaction, webhook_id: str, delivery_id: str, now: int) -> bool:
    """Have a delivery that is over sent once more; False if it waits already."""
    return await tx.run(_AGAIN, the_webhook=webhook_id, the_delivery=delivery_id, now=now) == 1
