"""Writes exports: the records that a viewer may see, and hashes in the place of all others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from keybearer.audit.lines import log_line, record_line, skip_line
from keybearer.wire.activity import Details
from keybearer.wire.merkle import SubtreeHash, leaf_hash, subtrees
from keybearer.wire.tiles import DamagedTiles


@dataclass(frozen=True, slots=True)
class LogSource:
    """
    What a log's part of an export is made from.

    Args:
        origin: the log's name.
        key: the public key that signed the note, ``name+id+key``, under the log's name.
        note: the checkpoint that the export is proved by.
        size: how many records that checkpoint speaks for.
        hash_of: gives the hash of a perfect subtree below that size, by its level and place; it may raise
            `DamagedTiles`.
        shown: the sizes of earlier checkpoints, from which it shall be seen that the log goes on.
    """

    origin: str
    key: str
    note: str
    size: int
    hash_of: SubtreeHash
    shown: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """
    A record as it is stored.

    Args:
        index: its place in the log; None, or beyond the checkpoint, while that does not speak for it.
        entry: its bytes.
        details: what of its details is left, and may be told.
    """

    index: int | None
    entry: bytes
    details: Details | None


class LogExport:
    """
    Writes a log's part of an export, line by line, each without its end: `begin`, `tell` for each record, `end`.

    Whatever is not told is left out, and stands there by hashes.
    """

    def __init__(self, log: LogSource) -> None:
        self._log = log
        self._size = 0

    def begin(self) -> bytes:
        """Write the line that opens the log."""
        return log_line(self._log.origin, self._log.key, self._log.note)

    def tell(self, record: StoredRecord) -> Iterator[bytes]:
        """Write a record, and before it what stands for those left out; they come by index, those without one last."""
        index = self._index(record)
        end = self._log.size if index is None else index
        yield from self._left_out(self._size, end)
        yield record_line(None if index is None else (index, self._leaf(index, record)), record.entry, record.details)
        self._size = end if index is None else index + 1

    def end(self) -> Iterator[bytes]:
        """Write what stands for the records after the last one told."""
        yield from self._left_out(self._size, self._log.size)
        self._size = self._log.size

    def hashed(self, records: Iterable[StoredRecord], hash_of: SubtreeHash, *, is_last: bool = False) -> None:
        """
        Ask for each hash that telling these records takes, so that it can be fetched before.

        Args:
            is_last: nothing is told after them.
        """
        size = self._size
        for index in [*map(self._index, records), *([None] if is_last else [])]:
            end = self._log.size if index is None else index
            parts = [part for start, stop in self._stretches(size, end) for part in subtrees(start, stop)]
            for level, place in parts if index is None else [*parts, (0, index)]:
                hash_of(level, place)
            size = min(end + 1, self._log.size)

    def _leaf(self, index: int, record: StoredRecord) -> bytes:
        """Return the hash that the log has of a record; where it lost that, only the root can tell of tampering."""
        try:
            return self._log.hash_of(0, index)
        except DamagedTiles:
            return leaf_hash(record.entry)

    def _index(self, record: StoredRecord) -> int | None:
        return record.index if record.index is not None and record.index < self._log.size else None

    def _left_out(self, first: int, end: int) -> Iterator[bytes]:
        for start, stop in self._stretches(first, end):
            yield skip_line(start, stop, [self._log.hash_of(level, place) for level, place in subtrees(start, stop)])

    def _stretches(self, first: int, end: int) -> Iterable[tuple[int, int]]:
        """Take what is left out apart, so that a part ends where an earlier checkpoint does."""
        return pairwise(sorted({first, end, *(size for size in self._log.shown if first < size < end)}))


def export_lines(log: LogSource, records: Iterable[StoredRecord]) -> Iterator[bytes]:
    """
    Write a log's part of an export, line by line, each without its end.

    Args:
        records: what is told, by index, those without one last.
    """
    export = LogExport(log)
    yield export.begin()
    for record in records:
        yield from export.tell(record)
    yield from export.end()
