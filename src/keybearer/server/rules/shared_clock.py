"""The clock of the rate limits, which all nodes move on together through the store; no wall clock moves it."""

from dataclasses import dataclass

_YOUNG: int = 2  # beats


@dataclass(frozen=True, slots=True)
class Beat:
    """
    The time as a node tells it to the store.

    Args:
        at: the node's reading of the shared clock, in microseconds.
        beats: how many beats there were when this node last looked; if there were none since, its reading is right.
        is_young: it looked so recently that its reading is right in any case.
        local: when this was written, in microseconds of the node's own clock.
    """

    at: int
    beats: int
    is_young: bool
    local: int


class SharedClock:
    """
    What one node knows of the shared clock; its own clock is CLOCK_BOOTTIME, which nobody can set.

    The store's reading is moved on by those who have seen it and measured what went by since, never by a wall clock:
    while no node is up, it stands still. While none counts, each looks at it now and then, and so knows how far to move
    it when calls come again. A node that has not looked for two beats, while others have, begins again from what the
    store says. So readings of two nodes at one moment differ by four beats at most.

    Args:
        beat: microseconds from one beat to the next.
    """

    def __init__(self, beat: int) -> None:
        self._beat = beat
        self._at = 0
        self._beats = -1
        self._local: int | None = None

    def reading(self, local: int) -> int | None:
        """Return how late it is; None: that must be asked of the store."""
        return self._at + local - self._local if self._local is not None and self._is_young(local) else None

    def beat(self, local: int) -> Beat:
        """Return what to tell the store at this moment of the node's own clock."""
        elapsed = 0 if self._local is None else max(0, local - self._local)
        return Beat(self._at + elapsed, self._beats, self._is_young(local), local)

    def heard(self, told: Beat, at: int, beats: int, local: int) -> int:
        """
        Take in what the store says after a beat; return how late it was then.

        Args:
            at: the greater one of what it was told, if that could be right, and what it said before.
            beats: how many there have been, with this one.
            local: when this was heard.
        """
        # Another node's reading is of some moment in between: the later one is taken, else it would gain with each.
        self._at, self._beats, self._local = at, beats, told.local if at == told.at else local
        return at

    def seen(self, at: int, beats: int, local: int) -> None:
        """
        Take in what the store says without a beat: what goes by from here on is known, if nobody beats meanwhile.

        Without that, those who come back after a quiet night would find the clock where the last one left it.

        Args:
            local: when this was heard.
        """
        if beats > self._beats:
            self._at, self._beats, self._local = at, beats, local

    def _is_young(self, local: int) -> bool:
        return self._local is not None and 0 <= local - self._local <= _YOUNG * self._beat
