"""`POST /verifier/activity` with batches of 1,000 calls, beside bare inserts of the same rows into the same table."""

from pathlib import Path
from time import perf_counter
from typing import Any, Final, Protocol

import apsw
import asyncpg
from pydantic import SecretStr

from bench.measures import Candidate, Comparison, Figure, Pace
from bench.stage import postgres_database, sqlite_database
from keybearer.cli.running import spare_collector
from keybearer.server import clock
from keybearer.server.activity.reported_lines import Line, read_lines
from keybearer.server.records import ResourceServer
from keybearer.server.settings import Settings
from keybearer.server.store.activity import COLUMNS, values_of
from tests.support.house import open_house
from tests.support.postgres import Cluster
from tests.support.reports import Reporting, reporting_in

GOAL: Final = 0.4
_LINES: Final = 1_000
_RECORDS: Final = "activity_records"


class _Writer(Protocol):
    """Inserts rows, all in one transaction that is durable when this returns."""

    async def insert(self, rows: list[tuple[Any, ...]]) -> None: ...


class _Sqlite:
    def __init__(self, url: str) -> None:
        self._connection = apsw.Connection(url.removeprefix("sqlite:///"))
        self._connection.pragma("synchronous", "FULL")

    async def insert(self, rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(COLUMNS))
        text = f"INSERT INTO {_RECORDS} ({', '.join(COLUMNS)}) VALUES ({marks})"  # noqa: S608 - ours
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(text, rows)
        self._connection.execute("COMMIT")


class _Postgres:
    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def insert(self, rows: list[tuple[Any, ...]]) -> None:
        await self._connection.copy_records_to_table(_RECORDS, records=rows, columns=COLUMNS)


async def measure(folder: Path, cluster: Cluster, pace: Pace) -> Figure:
    """
    Report batches, let them be placed and signed, and insert the same rows barely, in turns.

    Args:
        cluster: a PostgreSQL that syncs its commits to the disk.
    """
    spare_collector()  # as a server does
    candidates: list[Candidate] = []
    comparisons: list[Comparison] = []
    link = await asyncpg.connect(await postgres_database(cluster, "bare intake"))
    for name, url, bare in (
        ("SQLite", await sqlite_database(folder / "intake"), _Sqlite(await sqlite_database(folder / "bare intake"))),
        ("PostgreSQL", await postgres_database(cluster, "intake"), _Postgres(link)),
    ):
        kept, sealed = Candidate(f"reported, {name}"), Candidate(f"reported, hashed and signed, {name}")
        inserted = Candidate(f"bare inserts, {name}")
        settings = Settings(data_dir=folder / f"intake {name}", database_url=SecretStr(url))
        async with open_house(settings, clock.now) as house:
            api = await reporting_in(house)
            for first in range(1, 1 + (pace.rounds + 1) * pace.batches * _LINES, pace.batches * _LINES):
                found = await _round(api, bare, first, pace.batches)
                for candidate, rate in zip((kept, sealed, inserted), found, strict=True):
                    candidate.rates += [rate] if first > 1 else []  # the first round warms up
        candidates += [kept, sealed, inserted]
        comparisons += [Comparison(kept, inserted, GOAL), Comparison(sealed, inserted)]
    await link.close()
    return Figure("Reported calls, batches of 1,000", tuple(candidates), tuple(comparisons))


async def _round(api: Reporting, bare: _Writer, first: int, batches: int) -> tuple[float, float, float]:
    """Return records per second: reported, reported and sealed, inserted barely."""
    starts = range(first, first + batches * _LINES, _LINES)
    reported = [[api.line(n) for n in range(start, start + _LINES)] for start in starts]
    rows = [_rows(api, lines) for lines in reported]
    began = perf_counter()
    for lines in reported:
        assert (await api.report(lines))["kept"] == _LINES
    kept_s = perf_counter() - began
    await api.house.node.sealer.seal()
    sealed_s = perf_counter() - began
    began = perf_counter()
    for each in rows:
        await bare.insert(each)
    bare_s = perf_counter() - began
    records = batches * _LINES
    return records / kept_s, records / sealed_s, records / bare_s


def _rows(api: Reporting, lines: list[bytes]) -> list[tuple[Any, ...]]:
    now = clock.now()
    reporter = ResourceServer(api.verifier.resource_server_id, "", api.token.environment, "", now, None, None)
    read = read_lines(lines, 1, reporter, now)
    return [values_of(line.entry, line.written, line.details, now) for line in read if isinstance(line, Line)]
