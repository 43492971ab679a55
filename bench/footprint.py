"""How soon a server answers after its process began, and how much memory it then holds with nothing to do."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from bench.measures import Figure, Pace
from bench.servers import Server, keybearer, oidc_provider
from bench.stage import sqlite_database

_SETTLING_S: Final = 0.5


async def measure(folder: Path, pace: Pace) -> Figure:
    """Start both servers in turns, with one call answered before the memory is looked at."""
    url = await sqlite_database(folder / "idle")
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    for _ in range(pace.rounds):
        ours.append(await _seen(keybearer(folder, url)))
        theirs.append(await _seen(_peer(folder)))
    rows = [_row("Keybearer on SQLite", ours), _row("oidc-provider in memory", theirs)]
    start, memory = (
        median(mine[part] / peers[part] for mine, peers in zip(ours, theirs, strict=True)) for part in (0, 1)
    )
    return Figure(
        "Start and idle memory", notes=(*rows, f"Keybearer = {start:.2f} x the time, {memory:.2f} x the memory")
    )


@contextmanager
def _peer(folder: Path) -> Iterator[Server]:
    with oidc_provider(folder, codes=0) as (server, _):
        yield server


async def _seen(starting: AbstractContextManager[Server]) -> tuple[float, float]:
    """Return seconds until the first answer, and MB a little later."""
    with starting as server:
        await asyncio.sleep(_SETTLING_S)
        return server.start_s, server.resident_mb()


def _row(name: str, seen: list[tuple[float, float]]) -> str:
    seconds, megabytes = (median(one[part] for one in seen) for part in (0, 1))
    return f"{name:<44}{seconds:>8.2f} s   {megabytes:6.1f} MB"
