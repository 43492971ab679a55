"""Counts measured values where things happen, in plain numbers that are read when somebody scrapes."""

from bisect import bisect_left
from typing import Final


class Histogram:
    """
    How many measured values fell into which bucket.

    Args:
        bounds: where the buckets end, each bound belonging to the bucket below it; above the last is one more bucket.
    """

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds: Final = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, measured: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, measured)] += 1
        self._total += measured

    @property
    def numbers(self) -> tuple[float, ...]:
        """How many are in each bucket, the lowest first, and what all of them add up to."""
        return (*self._counts, self._total)
