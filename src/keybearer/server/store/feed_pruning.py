"""Take the oldest events out of the feed, and say so in its head in the same transaction."""

from typing import Final

from sqlalchemy import bindparam, delete, func, select, update

from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import feed, feed_head

MOST_KEPT: Final = 100_000  # the newest, however old
AT_ONCE: Final = 1_000

_HEAD = select(feed_head.c.seq, feed_head.c.min_seq)
_FIRST_YOUNG = select(func.min(feed.c.seq).label("seq")).where(
    feed.c.seq >= bindparam("first"), feed.c.seq < bindparam("end"), feed.c.at >= bindparam("before")
)
_FORGET = delete(feed).where(feed.c.seq < bindparam("min_seq"))
_MOVE = update(feed_head).where(feed_head.c.min_seq < bindparam("new")).values(min_seq=bindparam("new"))


async def prune_feed(tx: Transaction, before: int, kept: int = MOST_KEPT) -> int:
    """
    Delete at most ``AT_ONCE`` of the oldest events that are older than *before*; return how many.

    Whoever asks from before ``min_seq`` is told to begin anew, so it moves with the deletion, in one snapshot.

    Args:
        before: microseconds since 1970 UTC.
        kept: how many of the newest stay, whatever their age.

    Source: coherence.md 5.2, S6.
    """
    head = await tx.one(_HEAD)
    assert head is not None  # noqa: S101 - a database that was opened has one
    end = min(head["min_seq"] + AT_ONCE, head["seq"] - kept + 1)
    if end <= head["min_seq"]:
        return 0
    young = await tx.one(_FIRST_YOUNG, first=head["min_seq"], end=end, before=before)
    min_seq = young["seq"] if young and young["seq"] is not None else end
    if min_seq <= head["min_seq"]:
        return 0
    deleted = await tx.run(_FORGET, min_seq=min_seq)
    await tx.run(_MOVE, new=min_seq)  # the head's row last: every other commit waits at it
    return deleted
