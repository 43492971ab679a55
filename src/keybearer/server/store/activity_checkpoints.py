"""The checkpoints of logs: decided in one transaction, signed in a later one; a size never gets a second root."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update

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
_IS_OLD: Final = activity_checkpoints.c.at < bindparam("before")
_PLACE: Final = tuple_(activity_checkpoints.c.log_id, activity_checkpoints.c.size)
_LAST_OF_DAYS: Final = (
    select(activity_checkpoints.c.log_id, func.max(activity_checkpoints.c.size))
    .where(_IS_OLD, activity_checkpoints.c.note > PASSED_OVER)
    .group_by(activity_checkpoints.c.log_id, activity_checkpoints.c.at // DAY)
)
_THIN: Final = delete(activity_checkpoints).where(
    _PLACE.in_(
        select(activity_checkpoints.c.log_id, activity_checkpoints.c.size)
        .where(_IS_OLD, activity_checkpoints.c.note.is_not(None), _PLACE.not_in(_LAST_OF_DAYS))
        .limit(1_000)
    )
)


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


async def thin(tx: Transaction, before: int) -> int:
    """
    Delete some of the old checkpoints, but of each log and day the last one that was signed; return how many.

    Args:
        before: those decided from then on all stay; the beginning of a day, in microseconds since 1970 UTC.
    """
    return await tx.run(_THIN, before=before)
