"""Records of the calls at the server's own doors: it reports them as any other API does, to itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from keybearer.audit.entries import EntryOf, ReadEntry
from keybearer.reporting.asked import Asked
from keybearer.reporting.calls import Call
from keybearer.reporting.records import Record, entry_of
from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.segment import Unwritable
from keybearer.reporting.shipping import Undelivered
from keybearer.server.actions.record_own_calls import record_own_calls
from keybearer.server.clock import Clock
from keybearer.server.refusals import Refusal
from keybearer.server.sealing.sealer import Sealer
from keybearer.server.store.faults import StoreUnavailable
from keybearer.wire.activity import VERSION
from keybearer.wire.denial import Bearer

NAME: Final = "keybearer"
_LAST_S: Final = 5.0  # how long an end waits for what is still to be kept
_RETRY_AFTER_S: Final = 5
# Nothing in an entry of ours is in doubt, so it need not be judged: with sorted keys this writes what RFC 8785 does.
_WRITE: Final = msgspec.json.Encoder(order="sorted").encode
_ENTRY: Final = partial(EntryOf, v=VERSION)


class _Own(NamedTuple):
    """A record of ours, as `keep_once.Reported` wants it."""

    n: int
    entry: ReadEntry
    written: bytes
    details: dict[str, tuple[str, str]]


class CallRecords:
    """
    Keeps a record of each call with a known token: it survives the end of the process before the call is answered.

    That a call which may change something has begun is kept before it is handled.

    Args:
        sealer: keeps them in the database.
        folder: of the spool.
        now: microseconds since 1970 UTC.

    Raises:
        ValueError: the folder cannot be written.
    """

    def __init__(self, sealer: Sealer, folder: Path, now: Clock) -> None:
        self._sealer = sealer
        self._now = now
        self._reporter = Reporter(ActivityLog(folder), now)
        self.shipped = 0
        """How many records this process has brought into the database."""

    def begin(self, bearer: Bearer, asked: Asked, *, may_change: bool) -> Call:
        """
        Begin the record of a call that is about to be handled.

        Args:
            may_change: handling it may change something here, so it is kept at once that it has begun.

        Raises:
            Refusal: ``unavailable``: it cannot be recorded, so it must not be served.
        """
        try:
            return (self._reporter.begin if may_change else self._reporter.begin_read)(bearer, asked)
        except Unwritable as error:
            raise unrecorded(error) from error

    def keep(self, bearer: Bearer, asked: Asked, status: int, words: str | None) -> None:
        """
        Keep a call that is done, took no time worth speaking of and changed nothing here.

        Args:
            words: what is said beside, if anything is, as `words_text` writes it.

        Raises:
            Refusal: ``unavailable``: it cannot be recorded, so it must not be answered.
        """
        try:
            self._reporter.keep_read(bearer, asked, status, words)
        except Unwritable as error:
            raise unrecorded(error) from error

    @property
    def waiting(self) -> int:
        """How many calls are over whose records are not in the database yet."""
        return self._reporter.waiting

    @property
    def behind_s(self) -> float:
        """For how many seconds the database has not taken what waits; 0 while it does."""
        return self._reporter.behind_s

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Bring records into the database while the block lasts, and what is left at its end."""
        task = asyncio.create_task(self._reporter.ship(self))
        try:
            yield
            await self.flush()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._reporter.close()

    async def flush(self) -> None:
        """Bring what there is into the database now, if that can be done within moments."""
        await self._reporter.flush(_LAST_S)

    async def reporter(self) -> str:
        """Return whose records these are: ours."""
        return NAME

    async def take(self, records: list[Record], reporter: str) -> list[tuple[Record, str]]:
        """
        Keep records, each once.

        Raises:
            Undelivered: the database is away.
        """
        own = []
        for record in records:
            entry, details = entry_of(record, reporter, _ENTRY)
            own.append(_Own(record.n, entry, _WRITE(entry), details))
        try:
            await self._sealer.keep(record_own_calls, own, self._now())
        except StoreUnavailable as error:
            raise Undelivered(str(error)) from error
        self.shipped += len(own)
        return []


def unrecorded(error: Unwritable) -> Refusal:
    """Say that a call is not served because it cannot be recorded."""
    public = "The call cannot be recorded at the moment, so it is not served."
    return Refusal("unavailable", public, f"audit_unavailable: {error}", retry_after_s=_RETRY_AFTER_S)
