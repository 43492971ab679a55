"""The first page of each filter of the activity log over a million records of a team, beside look-ups by key."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import apsw
import asyncpg
from sqlalchemy import bindparam, select

from bench.measures import Candidate, Comparison, Figure, Pace
from bench.stage import postgres_database, sqlite_database
from keybearer.server.clock import MINUTE, SECOND
from keybearer.server.reads.activity import Sight, activity_page
from keybearer.server.records import ActivityFilter
from keybearer.server.store.database import Database, open_database
from keybearer.server.store.tables import activity_records
from tests.support.postgres import Cluster

GOAL: Final = 3.0
_LIMIT: Final = 25
_TEAM: Final = 7
_BEGAN: Final = 1_764_000_000 * SECOND
_TABLE: Final = "activity_records"
_AT_ONCE: Final = 20_000
_BY_KEY: Final = select(activity_records).where(activity_records.c.activity_id.in_(bindparam("ids", expanding=True)))
_ENTRY: Final = b'{"action":"api.called","at":1764000000000000,"outcome":"done","team":7,"v":1}' + b" " * 400
_DETAILS: Final = b'{"user":["c2FsdA","3"],"address":["c2FsdA","203.0.113.9"],"agent":["c2FsdA","curl/8.5.0"]}'


async def measure(folder: Path, cluster: Cluster, pace: Pace) -> Figure:
    """Fill a table in each database, and look for pages in turns with look-ups by key."""
    candidates: list[Candidate] = []
    comparisons: list[Comparison] = []
    for name, url, fill in (
        ("SQLite", await sqlite_database(folder / "searched"), _fill_sqlite),
        ("PostgreSQL", await postgres_database(cluster, "searched"), _fill_postgres),
    ):
        await fill(url, pace.searched_records)
        database = await open_database(url)
        for filters, wanted in _wanted(pace.searched_records).items():
            page = Candidate(f"first page by {filters}, {name}")
            by_key = Candidate(f"{_LIMIT} records by their keys, {name}")
            await _compare(database, wanted, (page, by_key), pace)
            candidates += [page] if candidates and candidates[-1].name.endswith(name) else [by_key, page]
            comparisons.append(Comparison(page, by_key, GOAL, is_cost=True))
        await database.close()
    return Figure(f"Searching {pace.searched_records:,} records of a team", tuple(candidates), tuple(comparisons))


def _wanted(count: int) -> dict[str, ActivityFilter]:
    """Return each filter of the page alone, and some together; the values are rare and frequent ones."""
    middle = _BEGAN + count // 2 * SECOND
    each: dict[str, dict[str, Any]] = {
        "nothing": {},
        "person": {"user_id": 17},
        "token": {"token_id": "token-119"},
        "app": {"client_id": "app-5"},
        "action": {"action": "token.created"},
        "calls": {"action": "api.called"},
        "outcome": {"outcome": "refused"},
        "time": {"since": middle, "until": middle + 10 * MINUTE},
        "person and outcome": {"user_id": 17, "outcome": "refused"},
        "person and calls": {"user_id": 17, "action": "api.called"},
        "person and action": {"user_id": 17, "action": "token.created"},
        "app and time": {"client_id": "app-5", "until": middle},
    }
    return {name: ActivityFilter(_TEAM, **filters) for name, filters in each.items()}


async def _compare(database: Database, wanted: ActivityFilter, pair: tuple[Candidate, Candidate], pace: Pace) -> None:
    sight, last = Sight(_TEAM, None), pace.searched_records
    ids = [last - number * 37 % last for number in range(_LIMIT)]

    async def by_key() -> None:
        assert len(await database.many(_BY_KEY, ids=ids)) == len(set(ids))

    async def page() -> None:
        await activity_page(database, sight, wanted, None, _LIMIT)

    for work in (page, by_key):
        await work()
    for _ in range(pace.rounds):
        for candidate, work in zip(pair, (page, by_key), strict=True):
            candidate.rates.append(await _rate(work))


async def _rate(work: Callable[[], Awaitable[None]], times: int = 40) -> float:
    began = perf_counter()
    for _ in range(times):
        await work()
    return times / (perf_counter() - began)


def _rows(count: int) -> Iterator[tuple[Any, ...]]:
    """Make up a team of 50 people, 150 tokens and 20 apps: of 100 records 95 are calls, and of 50 one is refused."""
    for number in range(1, count + 1):
        token = number * 7919 % 150
        is_call = number % 20 != 0
        action = "api.called" if is_call else "token.created" if number % 10_000 == 0 else "token.refreshed"
        outcome = "refused" if number * 31 % 50 == 0 else "done"
        at = _BEGAN + number * SECOND
        app = f"app-{token % 20}" if token % 2 else None
        yield number, at, at, _ENTRY, _DETAILS, action, outcome, token % 50, _TEAM, "live", app, f"token-{token}"


_COLUMNS: Final = (
    *("activity_id", "at", "received_at", "entry", "details", "action", "outcome"),
    *("user_id", "team_id", "environment", "client_id", "token_id"),
)


async def _fill_sqlite(url: str, count: int) -> None:
    connection = apsw.Connection(url.removeprefix("sqlite:///"))
    connection.pragma("synchronous", "OFF")
    marks = ", ".join("?" * len(_COLUMNS))
    with connection:
        connection.executemany(
            f"INSERT INTO {_TABLE} ({', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608 - ours
            _rows(count),
        )
    connection.close()


async def _fill_postgres(url: str, count: int) -> None:
    link = await asyncpg.connect(url)
    await link.copy_records_to_table(_TABLE, records=_rows(count), columns=list(_COLUMNS))
    await link.execute(f"ANALYZE {_TABLE}")
    await link.close()
