"""What a node answers a verifier that asks what has happened since its position."""

from dataclasses import dataclass
from typing import Final

from keybearer.wire.feed import NO_HASH, Event, Position, SyncAnswer, SyncQuestion

PAGE: Final = 1_000
_LONGEST: Final = 1_000  # characters of an event; ours have a tenth of that


@dataclass(frozen=True, slots=True)
class FeedView:
    """
    The feed as one snapshot has it, as far as one question needs it.

    Args:
        head: the newest event.
        min_seq: the oldest event that is kept; those before it were pruned.
        hash_there: the hash of the event at the question's position; None where there is none any more.
        later: the events after the question's position, oldest first, at most a page.
    """

    head: Position
    min_seq: int
    hash_there: bytes | None
    later: tuple[Event, ...]


def sync_answer(question: SyncQuestion, view: FeedView, age_s: float) -> SyncAnswer:
    """
    Return the answer to *question*.

    Args:
        age_s: seconds on this node's clock since the view's snapshot was begun.

    Source: coherence.md 5.3, N1 (c).
    """
    # What raw SQL has left may be larger than any answer that a verifier takes: then it begins anew behind it.
    is_reset = _is_elsewhere(question.position, view) or any(map(_is_poison, view.later[:PAGE]))
    return SyncAnswer(question.nonce, view.head, () if is_reset else view.later[:PAGE], is_reset, age_s)


def _is_elsewhere(position: Position, view: FeedView) -> bool:
    """Tell whether the position is not one of this feed's, or so old that what followed it is not kept."""
    if position.epoch != view.head.epoch or position.seq > view.head.seq or position.seq + 1 < view.min_seq:
        return True
    there = NO_HASH if position.seq == 0 else view.hash_there
    return position.seq >= view.min_seq and there != position.hash


def _is_poison(event: Event) -> bool:
    return len(event.kind) + len(event.subject) > _LONGEST
