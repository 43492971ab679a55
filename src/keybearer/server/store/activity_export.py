"""Logs and their records in the order in which they are exported, some at a time."""

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, select

from keybearer.server.records import ActivityFilter, ActivityLog
from keybearer.server.store.activity import STORED_DETAILS, STORED_ENTRY
from keybearer.server.store.activity_search import conditions, names_and_values
from keybearer.server.store.database import Reader, Row
from keybearer.server.store.tables import activity_logs, activity_records

_c: Final = activity_records.c
_TOLD: Final = select(_c.activity_id, _c.log_index, STORED_ENTRY, STORED_DETAILS).limit(bindparam("most"))
_LOGS: Final = (
    select(activity_logs)
    .where(activity_logs.c.kind == "team", activity_logs.c.team_id == bindparam("team_id"))
    .order_by(activity_logs.c.log_id)
)
_EVERY_LOG: Final = select(activity_logs).where(activity_logs.c.kind != "tree").order_by(activity_logs.c.log_id)
_PLACED: Final = (_c.log_id == bindparam("log_id"), _c.log_index > bindparam("after"))
_UNPLACED: Final = (_c.log_id.is_(None), _c.activity_id > bindparam("after"))
_ALL_PLACED: Final = _TOLD.where(*_PLACED).order_by(_c.log_index)
_ALL_UNPLACED: Final = _TOLD.where(*_UNPLACED).order_by(_c.activity_id)


async def every_log(reader: Reader) -> list[ActivityLog]:
    """Return the logs of all teams, of all users, and the server's own, the oldest first."""
    return [ActivityLog(**row) for row in await reader.many(_EVERY_LOG)]


async def logs_of(reader: Reader, team_id: int) -> list[ActivityLog]:
    """Return the team's logs, the oldest first."""
    return [ActivityLog(**row) for row in await reader.many(_LOGS, team_id=team_id)]


async def placed(reader: Reader, wanted: ActivityFilter, log_id: int, after: int, most: int) -> list[Row]:
    """Return the next records of a log behind the index *after*."""
    names, values = names_and_values(wanted)
    return await reader.many(_placed(names), log_id=log_id, after=after, most=most, **values)


async def all_placed(reader: Reader, log_id: int, after: int, most: int) -> list[Row]:
    """Return the next of all records of a log behind the index *after*."""
    return await reader.many(_ALL_PLACED, log_id=log_id, after=after, most=most)


async def unplaced(reader: Reader, wanted: ActivityFilter, after: int, most: int) -> list[Row]:
    """Return the next records that have no place in a log yet, behind the one numbered *after*."""
    names, values = names_and_values(wanted)
    return await reader.many(_unplaced(names), after=after, most=most, **values)


async def all_unplaced(reader: Reader, after: int, most: int) -> list[Row]:
    """Return the next of all records that have no place in a log yet, behind the one numbered *after*."""
    return await reader.many(_ALL_UNPLACED, after=after, most=most)


@lru_cache(512)
def _placed(names: frozenset[str]) -> Select[Any]:
    return _TOLD.where(*conditions(names), *_PLACED).order_by(_c.log_index)


@lru_cache(512)
def _unplaced(names: frozenset[str]) -> Select[Any]:
    return _TOLD.where(*conditions(names), *_UNPLACED).order_by(_c.activity_id)
