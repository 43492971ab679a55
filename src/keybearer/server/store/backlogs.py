"""What waits in the database, counted for the metrics: never more than the first thousand, by their index."""

from typing import Final, NamedTuple

from sqlalchemy import Select, func, literal_column, select

from keybearer.server.store.database import Reader
from keybearer.server.store.tables import activity_records, notices, webhook_deliveries, webhooks

MOST: Final = 1_000
Counting = Select[int, int]


class Backlog(NamedTuple):
    """
    What waits.

    Args:
        waiting: how many, of the first thousand.
        oldest_at: since when the first of these waits, or is due; None if there is none. Microseconds since 1970 UTC.
    """

    waiting: int
    oldest_at: int | None


def _first(found: Select[int]) -> Counting:
    some = found.limit(literal_column(str(MOST))).subquery()
    return select(func.count().label("waiting"), func.min(some.c.at).label("oldest_at"))


# Of records that have no place in a log yet, by ix_activity_records_unsequenced.
_UNPLACED: Final = _first(
    select(activity_records.c.received_at.label("at"))
    .where(activity_records.c.log_id.is_(None))
    .order_by(activity_records.c.activity_id)
)
# Of deliveries, by ix_webhook_deliveries_waiting; the word is written out because the index is one of this word.
_waiting = (
    select(webhook_deliveries.c.webhook_id, webhook_deliveries.c.due_at)
    .where(webhook_deliveries.c.status == literal_column("'waiting'"))
    .limit(literal_column(str(MOST)))
    .subquery()
)
_DELIVERIES: Final = _first(
    select(_waiting.c.due_at.label("at"))
    .join(webhooks, webhooks.c.webhook_id == _waiting.c.webhook_id)
    .where(webhooks.c.switched_off_at.is_(None), webhooks.c.deleted_at.is_(None))
)
# Of mails, by ix_notices_due_at.
_NOTICES: Final = _first(select(notices.c.due_at.label("at")).order_by(notices.c.due_at))


async def unplaced(reader: Reader) -> Backlog:
    """Return what is recorded and has no place in the activity log yet."""
    return await _read(reader, _UNPLACED)


async def deliveries(reader: Reader) -> Backlog:
    """Return what webhooks that are switched on are still to be told: of the first thousand deliveries that wait."""
    return await _read(reader, _DELIVERIES)


async def mails(reader: Reader) -> Backlog:
    """Return what users are still to be mailed about what acts in their names."""
    return await _read(reader, _NOTICES)


async def _read(reader: Reader, statement: Counting) -> Backlog:
    row = await reader.one(statement)
    assert row is not None  # noqa: S101 - a count always has a row
    return Backlog(**row)
