"""The clocks of the server, wall time and BOOTTIME; nothing else reads a clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from keybearer.server.units import DAY, HOUR, MINUTE, SECOND

__all__ = ("DAY", "HOUR", "MINUTE", "NEVER", "SECOND", "Clock", "as_datetime", "as_wire", "boottime", "now")

NEVER: Final = 253_402_300_799 * SECOND  # 9999-12-31T23:59:59Z: the end of what does not end by itself

_BOOTTIME: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS: its MONOTONIC counts sleep, too

Clock = Callable[[], int]


def now() -> int:
    """Return the time in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def as_datetime(at: int) -> datetime:
    """Turn microseconds since 1970 into a UTC datetime of whole seconds, for doors that show it."""
    return datetime.fromtimestamp(at // SECOND, UTC)


@lru_cache(10_000)  # the same users, teams and tokens are told of again and again
def as_wire(at: int) -> str:
    """Write a time the way the API does: ``YYYY-MM-DDTHH:MM:SSZ``, whole seconds in UTC."""
    return as_datetime(at).isoformat().removesuffix("+00:00") + "Z"


def boottime() -> float:
    """
    Return the seconds since this machine started; they go on while it sleeps, and nobody can set them.

    Source: coherence.md, finding 8 (``time.monotonic`` stops in suspend, so a lease would survive it).
    """
    return time.clock_gettime(_BOOTTIME)
