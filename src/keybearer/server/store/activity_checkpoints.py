"""The checkpoints of logs: decided in one transaction, signed in a later one; a size never gets a second root."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select, tuple_, update

from keybearer.server.clock import DAY
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import activity_checkpoints, activity_logs

PASSED_OVER: Final = ""
"""In the place of a note: this size is never signed, because a larger one was."""

_ADD: Final = insert(activity_checkpoints)
_OF_LOG: Final = select(
    activity_checkpoints.c.log_id,
    activity_logs.c.origin,
    activity_checkpoints.c.size,
    activity_checkpoints.c.root,
    activity_checkpoints.c.note,
).join(activity_logs, activity_logs.c.log_id == activity_checkpoints.c.log_id)
_UNSIGNED: Final = (
    _OF_LOG.where(activity_checkpoints.c.note.is_(None), activity_logs.c.frozen_at.is_(None))
    .order_by(activity_checkpoints.c.log_id, activity_checkpoints.c.size)
    .limit(1_000)
)
_SIGNED: Final = (
    _OF_LOG.where(activity_checkpoints.c.log_id == bindparam("log_id"), activity_checkpoints.c.note > PASSED_OVER)
    .order_by(activity_checkpoints.c.size.desc())
    .limit(1)
)
_KEEP_NOTE: Final = (
    update(activity_checkpoints)
    .where(
        activity_checkpoints.c.log_id == bindparam("the_log"),
        activity_checkpoints.c.size == bindparam("the_size"),
        activity_checkpoints.c.root == bindparam("the_root"),
    )
    .values(note=bindparam("note"))
)
_LOOKED_AT: Final = 1_001
_STRETCH: Final = (
    select(
        activity_checkpoints.c.log_id,
        activity_checkpoints.c.size,
        activity_checkpoints.c.at,
        func.coalesce(func.length(activity_checkpoints.c.note), -1).label("note_length"),
    )
    .where(
        tuple_(activity_checkpoints.c.log_id, activity_checkpoints.c.size)
        >= tuple_(bindparam("log_id", type_=BigInteger), bindparam("size", type_=BigInteger))
    )
    .order_by(activity_checkpoints.c.log_id, activity_checkpoints.c.size)
    .limit(_LOOKED_AT)
)
_FORGET: Final = delete(activity_checkpoints).where(
    activity_checkpoints.c.log_id == bindparam("the_log"), activity_checkpoints.c.size == bindparam("the_size")
)
THIN_FROM: Final = (0, 0)
"""Where `thin` begins: a log's id, and a size."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A log at one size; *note* is None until it is signed."""

    log_id: int
    origin: str
    size: int
    root: bytes
    note: str | None


@dataclass(frozen=True, slots=True)
class New:
    """A checkpoint that is about to be decided, and its leaf in the tree over all logs; None for the tree's own."""

    log_id: int
    size: int
    root: bytes
    tree: tuple[int, int] | None


async def decide(tx: Transaction, checkpoints: Sequence[New], now: int) -> None:
    """Keep checkpoints that are to be signed; a second one of a size is a `Conflict`."""
    rows = [
        {
            "log_id": each.log_id,
            "size": each.size,
            "root": each.root,
            "at": now,
            "tree_id": each.tree[0] if each.tree else None,
            "tree_index": each.tree[1] if each.tree else None,
        }
        for each in checkpoints
    ]
    await tx.run_all(_ADD, rows)


async def unsigned(reader: Reader) -> list[Decided]:
    """Return what is decided and not signed, of sound logs, the smaller sizes of a log first."""
    return [Decided(**row) for row in await reader.many(_UNSIGNED)]


async def latest_signed(reader: Reader, log_id: int) -> Decided | None:
    """Return the log's signed checkpoint of the largest size."""
    row = await reader.one(_SIGNED, log_id=log_id)
    return Decided(**row) if row else None


async def keep_notes(tx: Transaction, notes: Sequence[tuple[Decided, str]]) -> None:
    """Keep the signed notes of decided checkpoints; signing one twice gives the same note."""
    rows = [
        {"the_log": each.log_id, "the_size": each.size, "the_root": each.root, "note": note} for each, note in notes
    ]
    await tx.run_all(_KEEP_NOTE, rows)


async def thin(tx: Transaction, before: int, start: tuple[int, int]) -> tuple[int, int] | None:
    """
    Look at the next checkpoints, and delete the old ones, but of each log and day the last one that was signed.

    Args:
        before: those decided from then on all stay; the beginning of a day, in microseconds since 1970 UTC.
        start: where the last call came to; `THIN_FROM` at first.

    Returns:
        Where this one came to: a checkpoint that is looked at again, or the next log; None at the end.
    """
    rows = await tx.many(_STRETCH, log_id=start[0], size=start[1])
    kept: set[tuple[int, int]] = set()
    needless = []
    for row in reversed(rows):
        if row["at"] >= before or row["note_length"] < 0:
            continue
        log_and_day = (row["log_id"], row["at"] // DAY)
        if row["note_length"] > 0 and log_and_day not in kept:
            kept.add(log_and_day)
        else:
            needless.append({"the_log": row["log_id"], "the_size": row["size"]})
    await tx.run_all(_FORGET, needless)
    if len(rows) < _LOOKED_AT:
        return None
    last = rows[-1]
    return (last["log_id"] + 1, 0) if last["at"] >= before else (last["log_id"], last["size"])
