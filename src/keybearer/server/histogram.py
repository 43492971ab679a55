"""Counting in plain numbers, where things happen; whoever watches this server reads them when they want to."""

from bisect import bisect_left
from typing import Final


class Histogram:
    """
    How often what was measured came to how much.

    Args:
        bounds: where the buckets end, each bound belonging to the bucket below it; what is above the last has its own.
    """

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds: Final = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, measured: float) -> None:
        """Count one more."""
        self._counts[bisect_left(self._bounds, measured)] += 1
        self._total += measured

    @property
    def numbers(self) -> tuple[float, ...]:
        """How many are in each bucket, the lowest first, and what all of them add up to."""
        return (*self._counts, self._total)
