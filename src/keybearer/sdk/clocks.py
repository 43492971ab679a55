"""The two clocks of a verifier: BOOTTIME, which goes on while the machine sleeps, and the wall clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final


def _boottime() -> Callable[[], float]:
    """Return a clock of seconds that counts a suspended machine's sleep too, where the system has one."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    # Elsewhere the monotonic clock: those of macOS and Windows count sleep.
    return time.monotonic if clock is None else partial(time.clock_gettime, clock)


@dataclass(frozen=True, slots=True)
class Clocks:
    """
    The clocks, as arguments, so that a test has others.

    Args:
        boottime: seconds; never set, never standing still.
        wall: seconds since 1970 UTC; nothing is decided by it.
    """

    boottime: Callable[[], float]
    wall: Callable[[], float]

    def offset(self) -> float:
        """Return how far the clocks are apart: it jumps when the machine's memory was put back to an earlier state."""
        return self.wall() - self.boottime()


SYSTEM: Final = Clocks(_boottime(), time.time)
