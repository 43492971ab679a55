"""Activity written out whole, some records at a time, however many they are."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from keybearer.audit import table
from keybearer.audit.export import LogExport, LogSource, StoredRecord
from keybearer.audit.lines import record_line
from keybearer.server.reads.activity import Sight, stored_details
from keybearer.server.records import ActivityFilter, ActivityLog
from keybearer.server.store import activity_checkpoints, activity_export, activity_logs, activity_tiles
from keybearer.server.store.database import Reader, Row
from keybearer.wire.checkpoint import VerifierKey, key_from
from keybearer.wire.merkle import SubtreeHash
from keybearer.wire.tiles import Tile, hashes_in, tiles_for

FORMATS: Final = ("jsonl", "csv")
_AT_ONCE: Final = 500

_Page = Callable[[int, int], Awaitable[list[Row]]]
"""Reads the next records: behind which, and how many at most."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of an export: its bytes, and how many records they tell."""

    data: bytes
    records: int


async def activity_chunks(
    reader: Reader, sight: Sight, wanted: ActivityFilter, form: str = "jsonl"
) -> AsyncIterator[Chunk]:
    """
    Write out what is *wanted* and may be seen: log by log, at last what has no place in one yet.

    Each chunk is a look of its own into the store: a log only grows, and what is proved of it ends with the checkpoint
    that was looked up first. What got its place since its log was written comes last.

    Args:
        form: ``jsonl``, which proves itself, or ``csv``.
    """
    seen = sight.narrow(wanted)
    if form == "csv":
        yield Chunk(table.head(), 0)
    if seen is None:
        return
    logs_of = partial(activity_export.logs_of, reader, sight.team_id)

    def page_of(log: ActivityLog) -> _Page:
        return partial(activity_export.placed, reader, seen, log.log_id)

    async for chunk in _written(reader, logs_of, page_of, partial(activity_export.unplaced, reader, seen), form):
        yield chunk


async def stored_chunks(reader: Reader) -> AsyncIterator[Chunk]:
    """Write out all logs there are, whoever they are about: for nobody to read, but to be verified."""

    def page_of(log: ActivityLog) -> _Page:
        return partial(activity_export.all_placed, reader, log.log_id)

    logs_of = partial(activity_export.every_log, reader)
    async for chunk in _written(reader, logs_of, page_of, partial(activity_export.all_unplaced, reader), "jsonl"):
        yield chunk


async def _written(
    reader: Reader,
    logs_of: Callable[[], Awaitable[Sequence[ActivityLog]]],
    page_of: Callable[[ActivityLog], _Page],
    unplaced: _Page,
    form: str,
) -> AsyncIterator[Chunk]:
    """
    Write out logs, and what has no place in one yet.

    A record gets its place at any time, so that one may be in neither of the two when it is looked at; each log is
    looked at once more at the end.

    Args:
        logs_of: reads which logs there are.
        page_of: gives what reads the records of a log.
        unplaced: reads those without a place.
    """
    sources = [(log, None if form == "csv" else await _source(reader, log)) for log in await logs_of()]
    ends: dict[int, int] = {}  # of each log the index of the last record that was written
    for log, source in sorted(sources, key=lambda each: each[1] is None):  # what is not signed comes last
        async for chunk in _of_log(reader, _noting(ends, log, page_of(log)), source, form):
            yield chunk
    loose: set[int] = set()
    async for rows in _pages(unplaced, 0, "activity_id"):
        loose.update(row["activity_id"] for row in rows)
        yield _loose(rows, form)
    for log in await logs_of():
        async for rows in _pages(page_of(log), ends.get(log.log_id, -1), "log_index"):
            yield _loose([row for row in rows if row["activity_id"] not in loose], form)


def _noting(ends: dict[int, int], log: ActivityLog, page: _Page) -> _Page:
    """Return *page*, which notes how far it has come."""

    async def noted(after: int, most: int) -> list[Row]:
        rows = await page(after, most)
        ends[log.log_id] = rows[-1]["log_index"] if rows else after
        return rows

    return noted


async def _of_log(reader: Reader, page: _Page, source: "_Source | None", form: str) -> AsyncIterator[Chunk]:
    """Write one log; without a checkpoint nothing proves its records, so they stand there as those without a place."""
    if source is not None:
        yield Chunk(source.export.begin() + b"\n", 0)
    after, is_last = -1, False
    while not is_last:
        rows = await page(after, _AT_ONCE)
        is_last = len(rows) < _AT_ONCE
        yield _loose(rows, form) if source is None else await source.chunk(reader, rows, is_last=is_last)
        after = rows[-1]["log_index"] if rows else after


async def _pages(page: _Page, after: int, name: str) -> AsyncIterator[list[Row]]:
    """Read page by page behind the record whose *name* is *after*."""
    while rows := await page(after, _AT_ONCE):
        yield rows
        after = rows[-1][name]


class _Source:
    """One log being written, with those of its tiles that the next lines take."""

    def __init__(self, log: ActivityLog, key: str, note: str, size: int) -> None:
        self._log_id = log.log_id
        self._tiles: dict[Tile, bytes] = {}
        hash_of = hashes_in(self._tiles)
        in_its_name = VerifierKey(log.origin, key_from(key).key)  # the issuer may have been another before
        self.export = LogExport(LogSource(log.origin, in_its_name.text, note, size, hash_of))

    async def chunk(self, reader: Reader, rows: Sequence[Row], *, is_last: bool) -> Chunk:
        """Write the next records, and at the end what stands for those after them."""
        records = [_stored(row) for row in rows]

        def ask(hash_of: SubtreeHash) -> None:
            self.export.hashed(records, hash_of, is_last=is_last)

        self._tiles.clear()
        self._tiles |= await activity_tiles.read(reader, self._log_id, tiles_for(ask))
        lines = [line for record in records for line in self.export.tell(record)]
        lines += self.export.end() if is_last else ()
        return Chunk(b"".join(line + b"\n" for line in lines), len(rows))


async def _source(reader: Reader, log: ActivityLog) -> _Source | None:
    """Return what a log is written with; None while nothing is signed of it."""
    signed = await activity_checkpoints.latest_signed(reader, log.log_id)
    key = await activity_logs.signing_key(reader)
    return _Source(log, key, signed.note, signed.size) if signed and signed.note and key else None


def _loose(rows: Sequence[Row], form: str) -> Chunk:
    return Chunk(b"".join(_loose_lines(rows, form)), len(rows))


def _loose_lines(rows: Sequence[Row], form: str) -> Iterator[bytes]:
    for row in rows:
        record = _stored(row)
        if form == "csv":
            yield table.row(record.index, record.entry, record.details)
        else:
            yield record_line(None, record.entry, record.details) + b"\n"


def _stored(row: Row) -> StoredRecord:
    """Take a record as it is: details that somebody has spoilt hinder no export, and are found by whoever verifies."""
    return StoredRecord(row["log_index"], row["entry"], stored_details(row))
