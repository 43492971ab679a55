"""`python -m bench.timing [--quick]`: whether the time of an answer tells what the answer does not."""

import argparse
import asyncio
import socket
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from secrets import randbits
from statistics import median
from time import perf_counter
from typing import Final

from bench.secret_pairs import Pair, pairs_of
from bench.servers import keybearer, stay_off_the_servers_processor
from bench.sign_test import Verdict, judge
from bench.stage import durable_postgres, postgres_database, sqlite_database
from bench.timing_stage import set_stage
from keybearer.cli.logs import log_to_file

_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How many pairs are asked; *with_hash* where each answer takes a hash of a password."""

    plain: int
    with_hash: int


THOROUGH: Final = Pace(plain=2000, with_hash=300)
QUICK: Final = Pace(plain=2, with_hash=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """How long an answer took, and what shows on it without reading it: its status, and the length of its body."""

    seconds: float
    look: tuple[int, int]


class Stopwatch:
    """One connection, on which every question is asked, and timed from its sending to the end of its answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def ask(self, request: bytes) -> Answer:
        """Ask, and read the answer to its end."""
        began = perf_counter()
        self._socket.sendall(request)
        answer = HTTPResponse(self._socket)
        answer.begin()
        body = answer.read()
        return Answer(perf_counter() - began, (answer.status, len(body)))


def times_of(stopwatch: Stopwatch, questions: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[float, float]]:
    """
    Ask the two of each pair one right after the other, in an order that a coin decides.

    Raises:
        RuntimeError: the answers differ, so nobody needs to look at the time.
    """
    for first, second in questions:
        if randbits(1):
            one, other = stopwatch.ask(first), stopwatch.ask(second)
        else:
            other, one = stopwatch.ask(second), stopwatch.ask(first)
        if one.look != other.look:
            raise RuntimeError(f"{first!r} is answered {one.look}, {second!r} {other.look}")
        yield one.seconds, other.seconds


def lines_of(pair: Pair, times: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Say what the times of a pair tell."""
    verdict = judge(times)
    first_ms, second_ms = (median(each) * 1000 for each in zip(*times, strict=True))
    by_luck = f"{0.5 - verdict.reach_of_luck:.1%} to {0.5 + verdict.reach_of_luck:.1%}"
    yield f"  {pair.door}"
    yield f"    median: {pair.first} {first_ms:.3f} ms, {pair.second} {second_ms:.3f} ms"
    yield f"    the first took longer in {verdict.share:.1%} of {verdict.pairs:,} pairs; by luck {by_luck}"
    yield f"    {_conclusion(pair, verdict)}"


def _conclusion(pair: Pair, verdict: Verdict) -> str:
    if not verdict.tells_apart:
        return "cannot be told apart"
    return f"can be told apart, which may be: {pair.why_not_secret}" if pair.why_not_secret else "CAN BE TOLD APART"


async def measure(folder: Path, database: str, url: str, pace: Pace) -> None:
    """Run a server on a migrated database, and print what the times of each pair tell."""
    stage = await set_stage(folder, url, pace.plain, pace.with_hash)
    print(f"\n{database}", flush=True)
    with keybearer(folder, url, "127.0.0.1") as server, closing(Stopwatch(server.port)) as stopwatch:
        for pair in pairs_of(stage):
            times = list(times_of(stopwatch, pair.questions))
            print("\n".join(lines_of(pair, times)), flush=True)


async def run(folder: Path, pace: Pace, *, is_quick: bool) -> None:
    """Measure on SQLite, and unless it shall be quick on PostgreSQL."""
    stay_off_the_servers_processor()
    await measure(folder, "SQLite", await sqlite_database(folder / "sqlite"), pace)
    if not is_quick:
        with durable_postgres() as cluster:
            await measure(folder, "PostgreSQL", await postgres_database(cluster, "keybearer"), pace)


def main() -> None:
    """Compare the times."""
    parser = argparse.ArgumentParser(prog="python -m bench.timing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few pairs, on SQLite: to see that everything runs")
    is_quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="keybearer-timing-") as folder:
        log_to_file(Path(folder) / "keybearer.log")
        asyncio.run(run(Path(folder), QUICK if is_quick else THOROUGH, is_quick=is_quick))


if __name__ == "__main__":
    main()
