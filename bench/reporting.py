"""What it costs an API to report its calls: one at a time `buffered`, and 32 at a time `durable`."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from bench.load import CONNECTIONS
from bench.measures import Candidate, Comparison, Figure, Pace
from bench.middleware import Application, Message, application, rate, receive, send
from bench.mirrors import filled
from keybearer import ActivityLog
from keybearer.asgi import KeybearerMiddleware

DURABLE_GOAL: Final = 1.3
BUFFERED_GOAL_US: Final = 30
_LINES: Final = b"x" * 390  # as long as what the reporter writes of a call here


async def measure(folder: Path, pace: Pace) -> Figure:
    """Call an application whose calls are reported in each way, and sync as much barely, in turns."""
    seconds = pace.round_s / 3
    silent, buffered, durable = [
        _application(log)
        for log in (None, ActivityLog(folder / "buffered"), ActivityLog(folder / "durable", "durable"))
    ]
    none, noted = Candidate("a call that is not reported"), Candidate("buffered")
    safe, bare = Candidate("durable, 32 at a time"), Candidate("bare append and fsync, 32 at a time")
    for _ in range(pace.rounds):
        none.rates.append(await rate(*silent, seconds))
        noted.rates.append(await rate(*buffered, seconds))
        safe.rates.append(await _rate_at_once(*durable, seconds))
        bare.rates.append(await asyncio.to_thread(_bare_rate, folder / "bare spool", seconds))
    added_us = [(1 / ours - 1 / least) * 1e6 for ours, least in zip(noted.rates, none.rates, strict=True)]
    note = f"buffered adds {median(added_us):.1f} µs to a call, {min(added_us):.1f} in the best round"
    comparison = Comparison(safe, bare, DURABLE_GOAL, is_cost=True)
    return Figure(
        "An API that reports its calls",
        (none, noted, safe, bare),
        (comparison,),
        (f"{note}   (at most {BUFFERED_GOAL_US})",),
    )


def _application(log: ActivityLog | None) -> tuple[Application, Message]:
    """Return an application behind the middleware, and a call that it lets through."""
    verifier, [text] = filled(1, 1)
    if log is not None:
        verifier.reporting(log)
    headers = [(b"host", b"api"), (b"user-agent", b"curl/8.5.0"), (b"authorization", f"Bearer {text}".encode())]
    call = {"type": "http", "method": "GET", "path": "/people", "headers": headers, "client": ("192.0.2.7", 50_000)}
    return KeybearerMiddleware(application, verifier), call


async def _rate_at_once(called: Application, call: Message, seconds: float) -> float:
    """Make so many calls at a time as there are connections elsewhere, and return how many a second were answered."""
    done, began = 0, perf_counter()

    async def caller() -> None:
        nonlocal done
        while perf_counter() - began < seconds:
            await called({**call}, receive, send)
            done += 1

    await asyncio.gather(*(caller() for _ in range(CONNECTIONS)))
    return done / (perf_counter() - began)


def _bare_rate(path: Path, seconds: float) -> float:
    """Let as many threads each append to one file what a call has there, and sync it; return how often a second."""
    file, began = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), perf_counter()

    def append() -> int:
        done = 0
        while perf_counter() - began < seconds:
            os.write(file, _LINES)
            os.fdatasync(file)
            done += 1
        return done

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        done = sum(threads.map(lambda _: append(), range(CONNECTIONS)))
    os.close(file)
    return done / (perf_counter() - began)
