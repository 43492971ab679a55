"""Remembers for a moment which tokens were refused, so that the store is not asked again."""

from collections import OrderedDict
from typing import Final

from keybearer.wire.denial import Denial
from keybearer.wire.feed import Position

MOST_DENIALS: Final = 10_000
DENIAL_S: Final = 1.0


class RecentDenials:
    """
    What was refused within the last second, so that a bad token in a loop is not asked about in a loop.

    Any event of the feed empties it: one may be about a token in it. At most *most* are kept, whatever is sent.
    """

    def __init__(self, most: int = MOST_DENIALS, keep_s: float = DENIAL_S) -> None:
        self._most = most
        self._keep_s = keep_s
        self._position: Position | None = None
        # Not a dict: to find its first takes the longer the more before it were deleted.
        self._kept: OrderedDict[bytes, tuple[Denial, float]] = OrderedDict()

    def get(self, digest: bytes, position: Position, now: float) -> Denial | None:
        """
        Return why the token of this *digest* was refused a moment ago; None if it was not.

        Args:
            position: what the verifier has heard of the feed.
            now: seconds, BOOTTIME.
        """
        self._empty_unless(position)
        denial, until = self._kept.get(digest, (None, now))
        return denial if now < until else None

    def keep(self, digest: bytes, denial: Denial, asked_at: Position, position: Position, now: float) -> None:
        """
        Remember a refusal for a second.

        Args:
            asked_at: what the verifier had heard of the feed when it asked; if it has heard more by now, the refusal
                may be of a time before that, and is not kept.
            position: what it has heard now.
            now: seconds, BOOTTIME.
        """
        self._empty_unless(position)
        if asked_at != position:
            return
        self._kept.pop(digest, None)
        if len(self._kept) >= self._most:
            self._kept.popitem(last=False)
        self._kept[digest] = (denial, now + self._keep_s)

    def _empty_unless(self, position: Position) -> None:
        if position is not self._position:
            self._kept.clear()
            self._position = position
