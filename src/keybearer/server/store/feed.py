"""Read the feed: where it stands, and what it told from a place on."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, bindparam, exists, select

from keybearer.server.store.database import Reader
from keybearer.server.store.faults import NO_HEAD, StoreUnavailable
from keybearer.server.store.tables import feed, feed_head, feed_pending
from keybearer.wire.feed import Event, Position

PAGE: Final = 1_000

_has_stray = exists(select(feed_pending.c.pending_id)).label("has_stray")
_HEAD = select(feed_head.c.epoch, feed_head.c.seq, feed_head.c.hash, _has_stray)
_NEWEST_BEFORE = select(feed.c.at).where(feed.c.at < bindparam("before")).order_by(feed.c.seq.desc()).limit(1)
# One statement is one snapshot, in either database, and one round trip.
_FROM = (
    select(
        feed_head.c.epoch,
        feed_head.c.seq.label("head_seq"),
        feed_head.c.hash.label("head_hash"),
        feed_head.c.min_seq,
        _has_stray,
        feed.c.seq,
        feed.c.kind,
        feed.c.subject,
        feed.c.at,
        feed.c.hash,
    )
    .select_from(feed_head.outerjoin(feed, feed.c.seq >= bindparam("seq", type_=BigInteger)))
    .order_by(feed.c.seq)
    .limit(PAGE + 1)
)


@dataclass(frozen=True, slots=True)
class Head:
    """
    Where the feed stands.

    Args:
        has_stray: raw SQL left events that have no number yet: *position* says less than has happened.
    """

    position: Position
    has_stray: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """
    A stretch of the feed, and where the feed stands, as one snapshot has them.

    Args:
        min_seq: the oldest event that is kept.
        events: without gaps, the oldest first; at most a page and one, so perhaps not up to the head.
    """

    head: Head
    min_seq: int
    events: tuple[Event, ...]


async def read_head(reader: Reader) -> Head:
    """
    Read where the feed stands.

    Raises:
        StoreUnavailable: the database was not migrated, or is away.
    """
    row = await reader.one(_HEAD)
    if row is None:
        raise StoreUnavailable(NO_HEAD)
    return Head(Position(row["epoch"], row["seq"], bytes(row["hash"])), bool(row["has_stray"]))


async def read_from(reader: Reader, seq: int) -> Stretch:
    """
    Read the event *seq*, by whose hash a place in the feed is known, and a page of those after it.

    Raises:
        StoreUnavailable: the database was not migrated, or is away.
    """
    rows = await reader.many(_FROM, seq=seq)
    if not rows:
        raise StoreUnavailable(NO_HEAD)
    first = rows[0]
    position = Position(first["epoch"], first["head_seq"], bytes(first["head_hash"]))
    events = tuple(
        Event(row["seq"], row["kind"], row["subject"], row["at"], bytes(row["hash"]))
        for row in rows
        if row["seq"] is not None
    )
    return Stretch(Head(position, bool(first["has_stray"])), first["min_seq"], events)


async def newest_before(reader: Reader, before: int) -> int:
    """Return when the newest event before that time happened, by the clock of whoever stored it; 0 if there is none."""
    row = await reader.one(_NEWEST_BEFORE, before=before)
    return row["at"] if row else 0
