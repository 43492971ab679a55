"""The newest events of the feed, in memory: without gaps, and chained up to the head."""

from typing import Final

from keybearer.server.rules.sync_answer import PAGE, FeedView
from keybearer.server.store.feed import Stretch
from keybearer.wire.feed import Event, Position, chain_hash

_MOST_EVENTS: Final = 10_000


class FeedWindow:
    """
    The head of the feed in one snapshot, and the events before it that are remembered.

    Args:
        begun_at: read from CLOCK_BOOTTIME before the snapshot began, seconds.
    """

    def __init__(self, stretch: Stretch, begun_at: float) -> None:
        self.head = stretch.head.position
        self.min_seq = stretch.min_seq
        self.begun_at = begun_at
        reaches_head = bool(stretch.events) and _place(stretch.events[-1]) == (self.head.seq, self.head.hash)
        self._events = list(stretch.events) if reaches_head else []

    def views(self, position: Position) -> FeedView | None:
        """Return what a question about *position* needs; None if that is older than what is remembered."""
        events, seq = self._events, position.seq
        if position.epoch != self.head.epoch or seq >= self.head.seq:
            return FeedView(self.head, self.min_seq, self.head.hash if seq == self.head.seq else None, ())
        if not events or seq < events[0].seq:
            return None
        at = seq - events[0].seq
        return FeedView(self.head, self.min_seq, events[at].hash, tuple(events[at + 1 : at + 1 + PAGE]))

    def extend(self, stretch: Stretch, begun_at: float) -> tuple[Event, ...] | None:
        """
        Go on to a newer snapshot, read from the head on; return the events that are new.

        Returns:
            None if it is no continuation: another lineage, a gap, or more news than a page. Nothing has changed then.
        """
        known, head = self.head, stretch.head.position
        new = stretch.events if known.seq == 0 else stretch.events[1:]
        if known.seq and (not stretch.events or _place(stretch.events[0]) != (known.seq, known.hash)):
            return None
        if head.epoch != known.epoch or not _leads(known, new, head):
            return None
        self.head, self.min_seq, self.begun_at = head, stretch.min_seq, begun_at
        self._events += new
        if len(self._events) > 2 * _MOST_EVENTS:
            del self._events[:-_MOST_EVENTS]
        return new


def _place(event: Event) -> tuple[int, bytes]:
    return event.seq, event.hash


def _leads(known: Position, events: tuple[Event, ...], head: Position) -> bool:
    """Tell whether these events lead from what is known to the head, each chained to the one before."""
    seq, newest = known.seq, known.hash
    for event in events:
        if event.seq != seq + 1 or event.hash != chain_hash(newest, event.seq, event.kind, event.subject, event.at):
            return False
        seq, newest = event.seq, event.hash
    return (seq, newest) == (head.seq, head.hash)
