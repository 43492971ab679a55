"""Erases a person's details and prunes old months from the activity log; the entries' hashes stay."""

from typing import Final

from sqlalchemy import bindparam, delete, select, update

from keybearer.server.records import ActivityLog
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import activity_logs, activity_records

AT_ONCE: Final = 1_000
_LOGS_AT_ONCE: Final = 100  # each look for them reads all logs there have ever been
_SOME_OF_USER: Final = (
    select(activity_records.c.activity_id).where(activity_records.c.user_id == bindparam("of_user")).limit(AT_ONCE)
)
_ERASE: Final = (
    update(activity_records).where(activity_records.c.activity_id.in_(_SOME_OF_USER)).values(details=None, user_id=None)
)
_OLDEST: Final = (
    select(activity_logs)
    .where(
        activity_logs.c.kind != "tree",
        activity_logs.c.month < bindparam("month"),
        activity_logs.c.min_index < activity_logs.c.size,
    )
    .order_by(activity_logs.c.log_id)
    .limit(_LOGS_AT_ONCE)
)
_DELETE: Final = delete(activity_records).where(
    activity_records.c.log_id == bindparam("log_id"), activity_records.c.log_index < bindparam("end")
)
_MOVE: Final = (
    update(activity_logs).where(activity_logs.c.log_id == bindparam("the_log")).values(min_index=bindparam("end"))
)


async def erase_some(tx: Transaction, user_id: int) -> int:
    """Erase the details of some of a user's records, and that they are theirs; return how many, 0 when none is left."""
    return await tx.run(_ERASE, of_user=user_id)


async def oldest(reader: Reader, month: str) -> list[ActivityLog]:
    """Return some logs of months before *month* (``2026-11``) that still have records; none if there are none."""
    return [ActivityLog(**row) for row in await reader.many(_OLDEST, month=month)]


async def delete_some(tx: Transaction, log: ActivityLog, most: int) -> int:
    """Delete the first *most* records of a log that are still there, and return the index of the first that stays."""
    end = min(log.min_index + most, log.size)
    await tx.run(_DELETE, log_id=log.log_id, end=end)
    await tx.run(_MOVE, the_log=log.log_id, end=end)
    return end
