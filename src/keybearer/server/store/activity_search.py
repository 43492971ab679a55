"""Looking up what the activity log holds of a team, the newest first, by any of the page's filters."""

from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, case, func, literal_column, select, tuple_

from keybearer.server.records import ActivityFilter, Tally
from keybearer.server.store.activity import STORED_DETAILS, STORED_ENTRY
from keybearer.server.store.database import Reader, Row
from keybearer.server.store.tables import activity_logs, activity_records

TimeAndNumber = tuple[int, int]
"""A record's time, in microseconds since 1970 UTC, and its number: the log's page is in this order."""

NEWEST: Final[TimeAndNumber] = (2**63 - 1, 2**63 - 1)

_c: Final = activity_records.c
# Asked for each record of a page, not joined: of an action that it takes to be rare PostgreSQL joined and sorted all.
_ORIGIN: Final = select(activity_logs.c.origin).where(activity_logs.c.log_id == _c.log_id).scalar_subquery()
_COLUMNS: Final = (
    _c.activity_id,
    _c.at,
    _c.log_index,
    STORED_ENTRY,
    STORED_DETAILS,
    _c.action,
    _c.outcome,
    _c.user_id,
    _ORIGIN.label("origin"),
)
_ORDER: Final = tuple_(_c.at, _c.activity_id)
_BEFORE: Final = tuple_(bindparam("at", type_=BigInteger), bindparam("activity_id", type_=BigInteger))
_EQUAL: Final = {
    "user_id": _c.user_id,
    "token_id": _c.token_id,
    "client_id": _c.client_id,
    "action": _c.action,
    "outcome": _c.outcome,
}
# What nearly every record is; the indexes of these two columns hold only the others.
_USUAL: Final = {"action": "api.called", "outcome": "done"}
# What a person did outside any team, by the index that holds only rare actions.
_OWN: Final = (
    select(*_COLUMNS)
    .where(
        _c.team_id.is_(None),
        _c.user_id == bindparam("user_id"),
        _c.action == bindparam("action"),
        _c.action != literal_column(f"'{_USUAL['action']}'"),
    )
    .order_by(_c.at.desc(), _c.activity_id.desc())
    .limit(bindparam("limit"))
)
_ONE: Final = select(*_COLUMNS).where(_c.activity_id == bindparam("activity_id"))


async def newest(reader: Reader, wanted: ActivityFilter, before: TimeAndNumber, limit: int) -> list[Row]:
    """Return the newest records *before* that position, at most *limit*."""
    if wanted.until is not None:  # as the end of what is read, not as one more condition
        before = min(before, (wanted.until, 0))
    names, values = names_and_values(replace(wanted, until=None))
    at, activity_id = before
    return await reader.many(_newest(names), at=at, activity_id=activity_id, limit=limit, **values)


async def newest_of_own(reader: Reader, user_id: int, action: str, limit: int) -> list[Row]:
    """Return the newest records of what a person did, or what was tried in their name, that belongs to no team."""
    return await reader.many(_OWN, user_id=user_id, action=action, limit=limit)


async def by_number(reader: Reader, wanted: ActivityFilter, activity_id: int) -> Row | None:
    """Return the record of this number if it is one of those wanted."""
    names, values = names_and_values(wanted)
    return await reader.one(_one(names), activity_id=activity_id, **values)


async def tally(reader: Reader, wanted: ActivityFilter, length: int, most: int) -> list[Tally]:
    """
    Count the newest records, at most *most*, by stretches of time.

    Args:
        length: of a stretch, in microseconds; stretches are counted from 1970.
    """
    names, values = names_and_values(wanted)
    rows = await reader.many(_tally(names), length=length, most=most, **values)
    return [Tally(int(row["stretch"]), int(row["done"]), int(row["others"])) for row in rows]


def names_and_values(wanted: ActivityFilter) -> tuple[frozenset[str], dict[str, Any]]:
    """Return the names that decide the statement, one for each condition, and the values that it is run with."""
    values = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    given = {name: value for name, value in values.items() if value is not None}
    rare = {name for name, usual in _USUAL.items() if given.get(name, usual) != usual}
    return frozenset(given) | {f"rare {name}" for name in rare}, given


def conditions(names: frozenset[str]) -> list[ColumnElement[bool]]:
    """Return what a record must be like, by the names of `names_and_values`."""
    given = [_c.team_id == bindparam("team_id")]
    given += [column == bindparam(name) for name, column in _EQUAL.items() if name in names]
    if "since" in names:
        given.append(_c.at >= bindparam("since"))
    if "until" in names:
        given.append(_c.at < bindparam("until"))
    # What the indexes of actions and outcomes are limited to, so that they can be used.
    given += [_EQUAL[name] != literal_column(f"'{usual}'") for name, usual in _USUAL.items() if f"rare {name}" in names]
    return given


@lru_cache(512)
def _newest(names: frozenset[str]) -> Select[Any]:
    found = select(*_COLUMNS).where(*conditions(names), _ORDER < _BEFORE)
    return found.order_by(_c.at.desc(), _c.activity_id.desc()).limit(bindparam("limit"))


@lru_cache(512)
def _one(names: frozenset[str]) -> Select[Any]:
    return _ONE.where(*conditions(names))


@lru_cache(512)
def _tally(names: frozenset[str]) -> Select[Any]:
    counted = (
        select(_c.at, _c.outcome)
        .where(*conditions(names))
        .order_by(_c.at.desc(), _c.activity_id.desc())
        .limit(bindparam("most"))
        .subquery()
    )
    stretch = (counted.c.at // bindparam("length", type_=BigInteger)).label("stretch")
    is_done = case((counted.c.outcome == "done", 1), else_=0)
    return select(stretch, func.sum(is_done).label("done"), func.sum(1 - is_done).label("others")).group_by(stretch)
