"""Number and chain the feed's events at the end of the transaction that made them."""

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import select

from keybearer.server.store.database import EpochAndSeq, Reader
from keybearer.server.store.faults import NO_HEAD, StoreUnavailable
from keybearer.server.store.tables import feed_head
from keybearer.wire.feed import chain_hash

_HEAD = select(feed_head.c.epoch, feed_head.c.seq)
_UNREADABLE: Final = ("unreadable.changed", "unreadable", 0)


FeedRow = tuple[int, str, str, int, bytes, bytes]
"""A row of the feed: seq, kind, subject, at, prev_hash, hash."""


def number(seq: int, prev_hash: bytes, pending: Iterable[tuple[object, object, object]]) -> Iterator[FeedRow]:
    """
    Number *pending* events (kind, subject, at) on from the head of the feed.

    Args:
        seq: the number of the newest event so far.
        prev_hash: its hash.
        pending: with texts as UTF-8. What raw SQL wrote may be anything, in SQLite: in the place of an event that
            cannot be read there comes one that concerns everybody.
    """
    for each in pending:
        kind, subject, at = _readable(*each)
        seq += 1
        chained = chain_hash(prev_hash, seq, kind, subject, at)
        yield seq, kind, subject, at, prev_hash, chained
        prev_hash = chained


def _readable(kind: object, subject: object, at: object) -> tuple[str, str, int]:
    if isinstance(kind, bytes) and isinstance(subject, bytes) and isinstance(at, int):
        try:
            return kind.decode(), subject.decode(), at
        except UnicodeDecodeError:
            pass
    return _UNREADABLE


async def read_position(reader: Reader) -> EpochAndSeq:
    """
    Read the feed's epoch and the number of its newest event.

    Raises:
        StoreUnavailable: the database was not migrated, or is away.
    """
    head = await reader.one(_HEAD)
    if head is None:
        raise StoreUnavailable(NO_HEAD)
    return head["epoch"], head["seq"]


# The lock on feed_head comes first, then the look at what is pending: PL/pgSQL takes a new
# snapshot for each statement, so what another transaction numbered while this one waited is
# gone from its sight and cannot be numbered twice. Whoever sees its own events numbers also
# those that raw SQL committed without numbers. Without any event nobody waits for the lock:
# the row is locked only if there is something to number.
POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION number_feed() RETURNS TABLE (epoch TEXT, seq BIGINT) LANGUAGE plpgsql AS $$
DECLARE
    head RECORD;
    event RECORD;
    chained BYTEA;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM feed_pending) THEN
        RETURN;
    END IF;
    SELECT * INTO STRICT head FROM feed_head WHERE singleton = 1 FOR UPDATE;
    FOR event IN
        WITH taken AS (DELETE FROM feed_pending AS p RETURNING p.pending_id, p.kind, p.subject, p.at)
        SELECT * FROM taken ORDER BY pending_id
    LOOP
        head.seq := head.seq + 1;
        chained := sha256(head.hash || convert_to(
            head.seq || E'\\n' || event.kind || E'\\n' || event.subject || E'\\n' || event.at, 'UTF8'));
        INSERT INTO feed (seq, kind, subject, at, prev_hash, hash)
            VALUES (head.seq, event.kind, event.subject, event.at, head.hash, chained);
        head.hash := chained;
    END LOOP;
    UPDATE feed_head AS h SET seq = head.seq, hash = head.hash WHERE h.singleton = 1;
    RETURN QUERY SELECT head.epoch, head.seq;
END
$$
"""

# COMMIT waits for the standbys only after something was written to the log. So something always is: whoever repeats a
# change whose outcome was unknown, and finds it made, must not be answered before it is as safe as if it were new.
POSTGRES_CALL = """
SELECT epoch, seq, pg_logical_emit_message(true, 'keybearer', '')::text AS trace
FROM (VALUES (1)) AS once LEFT JOIN number_feed() ON true
"""
