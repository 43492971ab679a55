"""Writing an export: the records that somebody may see, and in the place of the others the hashes that prove them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from keybearer.audit.lines import log_line, record_line, skip_line
from keybearer.wire.activity import Details
from keybearer.wire.merkle import SubtreeHash, subtrees


@dataclass(frozen=True, slots=True)
class LogSource:
    """
    What a log's part of an export is made from.

    Args:
        origin: the log's name.
        key: the public key that signed the note, ``name+id+key``, under the log's name.
        note: the checkpoint that the export is proved by.
        size: how many records that checkpoint speaks for.
        hash_of: gives the hash of a perfect subtree below that size, by its level and place.
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


def export_lines(log: LogSource, records: Iterable[StoredRecord]) -> Iterator[bytes]:
    """
    Write a log's part of an export, line by line, each without its end.

    Args:
        records: what is told, by index, those without one last; all others are left out, and stand there by hashes.
    """
    yield log_line(log.origin, log.key, log.note)
    size = 0
    for record in records:
        index = record.index if record.index is not None and record.index < log.size else None
        yield from _left_out(log, size, log.size if index is None else index)
        yield record_line(index, record.entry, record.details)
        size = log.size if index is None else index + 1
    yield from _left_out(log, size, log.size)


def _left_out(log: LogSource, first: int, end: int) -> Iterator[bytes]:
    """Write what stands for records that are not told, in parts that end where an earlier checkpoint does."""
    for start, stop in pairwise(sorted({first, end, *(size for size in log.shown if first < size < end)})):
        yield skip_line(start, stop, [log.hash_of(level, place) for level, place in subtrees(start, stop)])
