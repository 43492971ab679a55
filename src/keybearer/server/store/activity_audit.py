"""What the database holds of a stretch of a log, for whoever compares it with the log's tree."""

from typing import Final

from sqlalchemy import bindparam, select

from keybearer.server.store.database import Reader, Row
from keybearer.server.store.tables import activity_records

_STRETCH: Final = (
    select(activity_records)
    .where(
        activity_records.c.log_id == bindparam("log_id"),
        activity_records.c.log_index >= bindparam("first"),
        activity_records.c.log_index < bindparam("end"),
    )
    .order_by(activity_records.c.log_index)
)


async def stretch(reader: Reader, log_id: int, first: int, end: int) -> list[Row]:
    """Return the records of a log from index *first* up to *end*, whole rows, in their order."""
    return await reader.many(_STRETCH, log_id=log_id, first=first, end=end)
