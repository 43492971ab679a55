"""Keeping what was reported exactly once: a record is known by its process and its number there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from keybearer.audit.entries import ReadEntry
from keybearer.server.sealing.integrating import integrate
from keybearer.server.store import activity_intake
from keybearer.server.store.activity import values_of
from keybearer.server.store.database import Transaction
from keybearer.wire.activity import Details, Entry


class Reported(Protocol):
    """A record as it was reported: the entry, its bytes, and what opens its commitments."""

    @property
    def n(self) -> int:
        """The record's number in the life of its process."""

    @property
    def entry(self) -> Entry | ReadEntry:
        """What it says; its reporter and its boot are known."""

    @property
    def written(self) -> bytes:
        """The entry's canonical bytes."""

    @property
    def details(self) -> Details:
        """What opens the commitments."""


Record = TypeVar("Record", bound=Reported)


@dataclass(frozen=True, slots=True)
class Kept(Generic[Record]):
    """
    What became of records.

    Args:
        kept: how many are kept by this.
        repeated: how many were kept before, byte for byte.
        conflicting: those whose number was reported with other bytes.
        through: up to this number nothing is missing.
    """

    kept: int
    repeated: int
    conflicting: tuple[Record, ...]
    through: int


async def keep_once(tx: Transaction, base: str | None, records: Sequence[Record], now: int) -> Kept[Record]:
    """
    Keep the records of one life of a process; its cursor is locked, so no two batches judge the same number.

    Args:
        base: what the names of the logs begin with in which they get their places at once; None: they wait for them.
        records: at least one, all of the same reporter and boot.
        now: microseconds since 1970 UTC.
    """
    reporter, boot = records[0].entry.reporter, records[0].entry.boot
    assert reporter is not None  # noqa: S101 - whoever reports says so
    assert boot is not None  # noqa: S101 - likewise
    cursor = await activity_intake.lock_cursor(tx, reporter, boot, now)
    known = await activity_intake.kept_among(tx, cursor, [record.n for record in records])
    new: dict[int, Record] = {}
    conflicting = []
    for record in records:
        if record.n not in known and record.n not in new:
            new[record.n] = record
        elif record.written != (known.get(record.n) or new[record.n].written):
            conflicting.append(record)
    if new:
        rows = [values_of(record.entry, record.written, record.details, now) for record in new.values()]
        await (activity_intake.keep(tx, rows) if base is None else integrate(tx, base, now, rows))
        cursor = await activity_intake.advance(tx, cursor, list(new), now)
    return Kept(len(new), len(records) - len(new) - len(conflicting), tuple(conflicting), cursor.through)
