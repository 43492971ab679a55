"""Keeps reported records exactly once: how far each process has come, and which numbers are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from keybearer.server.store.activity import COLUMNS, Values
from keybearer.server.store.activity_logs import Place
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import activity_cursors, activity_records

_LOCK: Final = (
    upsert(activity_cursors)
    .values(
        reporter=bindparam("reporter"),
        boot=bindparam("boot"),
        through=0,
        highest=0,
        seen_at=bindparam("now"),
    )
    .on_conflict_do_update(
        index_elements=[activity_cursors.c.reporter, activity_cursors.c.boot], set_={"seen_at": bindparam("now")}
    )
    .returning(activity_cursors.c.through, activity_cursors.c.highest, activity_cursors.c.missing_since)
)
_IS_THIS_BOOT: Final = (activity_records.c.reporter == bindparam("reporter")) & (
    activity_records.c.boot == bindparam("boot")
)
_THESE: Final = select(activity_records.c.n, activity_records.c.entry).where(
    _IS_THIS_BOOT, activity_records.c.n.in_(bindparam("numbers", expanding=True))
)
_LATER: Final = (
    select(activity_records.c.n)
    .where(_IS_THIS_BOOT, activity_records.c.n > bindparam("after"))
    .order_by(activity_records.c.n)
    .limit(bindparam("most"))
)
_MOVE: Final = (
    update(activity_cursors)
    .where(activity_cursors.c.reporter == bindparam("the_reporter"), activity_cursors.c.boot == bindparam("the_boot"))
    .values(through=bindparam("through"), highest=bindparam("highest"), missing_since=bindparam("missing_since"))
)
_MISSING: Final = (
    select(activity_cursors.c.reporter, activity_cursors.c.boot)
    .where(activity_cursors.c.missing_since <= bindparam("before"))
    .order_by(activity_cursors.c.reporter, activity_cursors.c.boot)  # whoever locks several locks them in this order
    .limit(100)
)
_AT_ONCE: Final = 1_000
_BOOT: Final = (activity_cursors.c.reporter, activity_cursors.c.boot)
_FORGET: Final = delete(activity_cursors).where(
    tuple_(*_BOOT).in_(select(*_BOOT).where(activity_cursors.c.seen_at < bindparam("before")).limit(_AT_ONCE))
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    How far one life of a reporting process has come.

    Args:
        through: every record up to this number is kept, or was given up for lost.
        highest: the highest number that is kept.
        missing_since: since when a number between them is missing; None while none is.
    """

    reporter: str
    boot: str
    through: int
    highest: int
    missing_since: int | None


async def lock_cursor(tx: Transaction, reporter: str, boot: str, now: int) -> Cursor:
    """Return how far this process has come, and let nobody else move it meanwhile."""
    row = await tx.one(_LOCK, reporter=reporter, boot=boot, now=now)
    assert row is not None  # noqa: S101 - it is put there if it was not
    return Cursor(reporter, boot, row["through"], row["highest"], row["missing_since"])


async def forget_cursors(tx: Transaction, before: int) -> int:
    """Forget how far some processes came that were last heard of *before* that time; return how many."""
    return await tx.run(_FORGET, before=before)


async def kept_among(tx: Transaction, cursor: Cursor, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return the entries that are there already, by their number, out of those with these *numbers*."""
    asked = [number for number in numbers if number <= cursor.highest]
    if not asked:
        return {}
    rows = await tx.many(_THESE, reporter=cursor.reporter, boot=cursor.boot, numbers=asked)
    return {row["n"]: bytes(row["entry"]) for row in rows}


async def keep(tx: Transaction, records: Sequence[Values], places: Sequence[Place] = ()) -> None:
    """
    Add reported records.

    Args:
        places: of each of them, or none at all: then they wait for them.
    """
    if not places:
        await tx.load(activity_records, COLUMNS, records)
        return
    rows = [values + place for values, place in zip(records, places, strict=True)]
    await tx.load(activity_records, COLUMNS + Place._fields, rows)


async def advance(tx: Transaction, cursor: Cursor, kept: Sequence[int], now: int) -> Cursor:
    """
    Move the cursor after these numbers were *kept*, over what is contiguous now, and return it.

    Args:
        now: microseconds since 1970 UTC; from then on a number that is skipped counts as missing.
    """
    highest = max(cursor.highest, *kept)
    through = cursor.through
    if cursor.highest == cursor.through and sorted(kept) == list(range(through + 1, through + len(kept) + 1)):
        through = highest
    else:
        through = await _contiguous(tx, cursor)
    missing_since = None if through == highest else now if through != cursor.through else cursor.missing_since or now
    return await move(tx, Cursor(cursor.reporter, cursor.boot, through, highest, missing_since))


async def missing_since(reader: Reader, before: int) -> list[tuple[str, str]]:
    """Return reporter and boot of processes of which something has been missing since that time or longer."""
    return [(row["reporter"], row["boot"]) for row in await reader.many(_MISSING, before=before)]


async def holes(tx: Transaction, cursor: Cursor, most: int) -> list[tuple[int, int]]:
    """Return the stretches of numbers (first and last) that are missing between those that are kept, the first ones."""
    found: list[tuple[int, int]] = []
    known = cursor.through
    while known < cursor.highest and len(found) < most:
        # Where there is nothing more, raw SQL has deleted what was the highest.
        for number in await _numbers_after(tx, cursor, known) or [cursor.highest + 1]:
            if number > known + 1:
                found.append((known + 1, number - 1))
            known = number
    return found[:most]


async def _contiguous(tx: Transaction, cursor: Cursor) -> int:
    """Return the number up to which nothing is missing."""
    through = cursor.through
    while numbers := await _numbers_after(tx, cursor, through):
        for number in numbers:
            if number != through + 1:
                return through
            through = number
    return through


async def _numbers_after(tx: Transaction, cursor: Cursor, after: int) -> list[int]:
    rows = await tx.many(_LATER, reporter=cursor.reporter, boot=cursor.boot, after=after, most=_AT_ONCE)
    return [row["n"] for row in rows]


async def move(tx: Transaction, cursor: Cursor) -> Cursor:
    """Keep where the cursor stands."""
    await tx.run(
        _MOVE,
        the_reporter=cursor.reporter,
        the_boot=cursor.boot,
        through=cursor.through,
        highest=cursor.highest,
        missing_since=cursor.missing_since,
    )
    return cursor
