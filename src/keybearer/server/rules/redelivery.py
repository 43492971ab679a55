"""When an event that was not taken is sent again, and when a webhook is given up."""

from enum import StrEnum
from typing import Final

from keybearer.server.units import MINUTE

DELAYS: Final = (MINUTE, 2 * MINUTE, 10 * MINUTE, 15 * MINUTE)
MOST_FAILURES: Final = 10  # deliveries in a row, each failed for good


class Pace(StrEnum):
    """How often a delivery is tried: by the schedule, or once because a person asked for it."""

    SCHEDULE = "schedule"
    ONCE = "once"


class Status(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


def is_taken(status: int | None) -> bool:
    """Tell whether the receiver's answer says that it has the event; None is no answer."""
    return status is not None and 200 <= status <= 299


def next_delay(pace: Pace, attempt: int) -> int | None:
    """
    Return how long to wait after a failed attempt, in microseconds; None when it was the last.

    Args:
        attempt: its number, from 1.
    """
    return DELAYS[attempt - 1] if pace is Pace.SCHEDULE and attempt <= len(DELAYS) else None
