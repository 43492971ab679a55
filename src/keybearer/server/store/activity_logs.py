"""The logs, and the places of records in them."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy import bindparam, insert, literal, select, update

from keybearer.server.records import ActivityLog, LogName
from keybearer.server.store.activity import STORED_ENTRY
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import activity_logs, activity_records, activity_seal
from keybearer.wire.merkle import EMPTY_ROOT


class Place(NamedTuple):
    """Where a record stands: in which log, and at which leaf of its tree."""

    log_id: int
    log_index: int


class Unplaced(NamedTuple):
    """A record that has no place in a log yet; *entry* is what its row holds at this moment."""

    activity_id: int
    received_at: int
    action: str
    team_id: int | None
    user_id: int | None
    entry: bytes


_TAKE: Final = select(activity_seal.c.key).with_for_update(skip_locked=True)
_KEY: Final = select(activity_seal.c.key)
_SIGN_WITH: Final = update(activity_seal).values(key=bindparam("key"))
_IS_UNPLACED: Final = activity_records.c.log_id.is_(None)
_ANY_UNPLACED: Final = select(literal(1).label("one")).where(
    select(activity_records.c.activity_id).where(_IS_UNPLACED).exists()
)
_UNPLACED: Final = (
    select(*(activity_records.c[name] for name in Unplaced._fields[:-1]), STORED_ENTRY)
    .where(_IS_UNPLACED)
    .order_by(activity_records.c.activity_id)
    .limit(bindparam("most"))
)
_PLACE: Final = (
    update(activity_records)
    .where(activity_records.c.activity_id.between(bindparam("first"), bindparam("last")))
    .values(log_id=bindparam("the_log"), log_index=activity_records.c.activity_id - bindparam("ahead"))
)
_UNPLACE: Final = (
    update(activity_records)
    .where(activity_records.c.log_id == bindparam("the_log"), activity_records.c.log_index >= bindparam("first"))
    .values(log_id=None, log_index=None)
)
_ALL: Final = select(activity_logs).order_by(activity_logs.c.log_id)
_BY_ORIGIN: Final = _ALL.where(activity_logs.c.origin == bindparam("origin"))
_BY_ID: Final = _ALL.where(activity_logs.c.log_id == bindparam("log_id"))
_FROZEN: Final = _ALL.where(activity_logs.c.frozen_at.is_not(None))
_NEXT_SOUND: Final = _ALL.where(
    activity_logs.c.log_id > bindparam("after"),
    activity_logs.c.size > 0,
    activity_logs.c.frozen_at.is_(None),
    activity_logs.c.kind != "tree",
).limit(1)
_ADD: Final = insert(activity_logs)
_GROW: Final = (
    update(activity_logs)
    .where(activity_logs.c.log_id == bindparam("the_log"))
    .values(size=bindparam("size"), root=bindparam("root"))
)
_FREEZE: Final = (
    update(activity_logs)
    .where(activity_logs.c.log_id == bindparam("the_log"), activity_logs.c.frozen_at.is_(None))
    .values(frozen_at=bindparam("now"), frozen_why=bindparam("why"))
)


async def take_turn(tx: Transaction) -> bool:
    """Keep all others from placing records until this transaction ends; False if another is at it."""
    return await tx.one(_TAKE) is not None


async def signing_key(reader: Reader) -> str:
    """Return the public key that the logs are signed with, as ``VerifierKey`` writes it; '' before the first."""
    row = await reader.one(_KEY)
    return str(row["key"]) if row else ""


async def sign_with(tx: Transaction, key: str) -> None:
    """Keep which key the logs are signed with from now on."""
    await tx.run(_SIGN_WITH, key=key)


async def has_unplaced(reader: Reader) -> bool:
    """Tell whether a record waits for its place."""
    return await reader.one(_ANY_UNPLACED) is not None


async def unplaced(tx: Transaction, most: int) -> list[Unplaced]:
    """Return records that wait for their place, the oldest of those that can be seen first."""
    return [Unplaced._make(row.values()) for row in await tx.many(_UNPLACED, most=most)]


async def place_all(tx: Transaction, placed: Sequence[tuple[int, Place]]) -> None:
    """
    Give records their places; those whose ids follow on each other as their places do all at once.

    Args:
        placed: the records' ids, the lowest first, each with its place.
    """
    rows = []
    for (log_id, ahead), run in groupby(placed, lambda each: (each[1].log_id, each[0] - each[1].log_index)):
        ids = [activity_id for activity_id, _ in run]
        rows.append({"the_log": log_id, "ahead": ahead, "first": ids[0], "last": ids[-1]})
    await tx.run_all(_PLACE, rows)


async def add(tx: Transaction, name: LogName, part: int, origin: str) -> ActivityLog:
    """Begin a log."""
    await tx.run(
        _ADD,
        origin=origin,
        kind=name.kind,
        team_id=name.owner_id if name.kind == "team" else None,
        user_id=name.owner_id if name.kind == "user" else None,
        month=name.month,
        part=part,
        size=0,
        root=EMPTY_ROOT,
        min_index=0,
    )
    added = await by_origin(tx, origin)
    assert added is not None  # noqa: S101 - just put there
    return added


async def by_origin(reader: Reader, origin: str) -> ActivityLog | None:
    """Return the log of this name."""
    row = await reader.one(_BY_ORIGIN, origin=origin)
    return ActivityLog(**row) if row else None


async def by_id(reader: Reader, log_id: int) -> ActivityLog | None:
    """Return the log of this id."""
    row = await reader.one(_BY_ID, log_id=log_id)
    return ActivityLog(**row) if row else None


async def next_sound(reader: Reader, log_id: int) -> ActivityLog | None:
    """Return the first log of higher id that is not frozen and has records; None after the last."""
    row = await reader.one(_NEXT_SOUND, after=log_id)
    return ActivityLog(**row) if row else None


async def frozen(reader: Reader) -> list[ActivityLog]:
    """Return the logs that are frozen."""
    return [ActivityLog(**row) for row in await reader.many(_FROZEN)]


async def grow(tx: Transaction, log: ActivityLog, size: int, root: bytes) -> None:
    """Keep what a log has grown to."""
    await tx.run(_GROW, the_log=log.log_id, size=size, root=root)


async def freeze(tx: Transaction, log: ActivityLog, signed_size: int, why: str, now: int) -> bool:
    """
    Freeze a log: nothing more is added to it or signed for it; False if it was frozen already.

    Its records that no signed checkpoint covers go on into the next part.
    """
    if not await tx.run(_FREEZE, the_log=log.log_id, now=now, why=why):
        return False
    await tx.run(_UNPLACE, the_log=log.log_id, first=signed_size)
    return True
