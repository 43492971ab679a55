"""Spools for tests: principals, calls, and a server's end that takes batches or does not."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from keybearer.reporting.asked import Asked
from keybearer.reporting.records import Record, line_of
from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.shipping import Undelivered
from keybearer.reporting.spool import Spool
from keybearer.reporting.syncing import Syncing
from keybearer.sdk.clocks import SYSTEM
from keybearer.sdk.testing import FakeVerifier
from keybearer.wire.activity import Entry, entry_from, open_details
from keybearer.wire.denial import Bearer

ASKED = Asked("GET", "/people/{id}", "req-1", "192.0.2.7", "curl/8")


def now() -> int:
    """Return microseconds since 1970 UTC."""
    return int(SYSTEM.wall() * 1_000_000)


def somebody() -> Bearer:
    """Return who calls."""
    fake = FakeVerifier()
    principal = fake.known(fake.issue(user_id=3, team_id=7))
    assert principal is not None
    return principal.bearer


def reporter_of(spool: Spool, mode: Literal["durable", "buffered"] = "buffered") -> Reporter:
    """Return a reporter that writes to *spool*."""
    reporter = Reporter(ActivityLog(spool.folder.parent, mode), now)
    reporter._spool.close(is_shipped=True)
    reporter._spool, reporter._syncing = spool, Syncing(spool)
    return reporter


def called(reporter: Reporter, outcome: str = "done", status: int = 200) -> int:
    """Have a call come and go; return what `kept` waits for."""
    return reporter.begin(somebody(), ASKED).finish(outcome, status)


def failing(number: int) -> Callable[..., int]:
    """Return what a system call does that fails so."""

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return fail


@dataclass
class Taking:
    """
    Takes batches as a node does: each record once.

    Args:
        losing: how many answers get lost, after the batch was kept.
        told: how many records were sent, each time counted.
        refusing: why none is taken; '' if they are.
    """

    name: str = "rs-1"
    losing: int = 0
    told: int = 0
    is_away: bool = False
    refusing: str = ""
    kept: dict[tuple[str, int], bytes] = field(default_factory=dict)

    async def reporter(self) -> str:
        if self.is_away:
            raise Undelivered("away")
        return self.name

    async def take(self, records: list[Record], reporter: str) -> list[tuple[Record, str]]:
        if self.is_away:
            raise Undelivered("away")
        self.told += len(records)
        if self.refusing:
            return [(record, self.refusing) for record in records]
        refused = []
        for record in records:
            line = line_of(record, reporter)
            if self.kept.setdefault((record.boot, record.n), line) != line:
                refused.append((record, "conflict"))
        if self.losing:
            self.losing -= 1
            raise Undelivered("the answer was lost")
        return refused

    @property
    def entries(self) -> list[Entry]:
        """What is kept, each life in its order."""
        return [entry_of(self.kept[key]) for key in sorted(self.kept)]

    def opened(self) -> Iterator[dict[str, str]]:
        """Yield what is personal in each record."""
        for key in sorted(self.kept):
            yield open_details(entry_of(self.kept[key]), _sent(self.kept[key])["details"])


async def shipped(reporter: Reporter, taking: Taking) -> None:
    """Ship what there is now, as the task of a verifier does."""
    async with shipping(reporter, taking):
        await reporter.flush(30)


@asynccontextmanager
async def shipping(reporter: Reporter, taking: Taking) -> AsyncIterator[None]:
    """Ship while the block lasts."""
    task = asyncio.create_task(reporter.ship(taking))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def entry_of(line: bytes) -> Entry:
    return entry_from(_sent(line)["entry"].encode())


def _sent(line: bytes) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(line)
    return sent
