"""Whether the wall clock can be believed where something old is deleted for good."""

import math
from collections.abc import Callable
from typing import Final

from keybearer.server.clock import DAY, HOUR, SECOND, Clock
from keybearer.server.store import feed
from keybearer.server.store.database import Reader

_MOST_AHEAD: Final = 30 * DAY  # of what happened before today: few servers stand still for longer
_MOST_LEAP: Final = HOUR
_DOUBTED_FOR_S: Final = DAY // SECOND  # by then NTP, or a person, has set right a clock that was wrong


class WallClock:
    """
    Doubts the wall clock for a day once it leaps, and where it is found far ahead of what is stored.

    A clock that is months ahead, as that of a machine whose battery is empty may be, would have living rows deleted.

    Args:
        now: the wall clock, microseconds since 1970 UTC.
        boottime: seconds that nobody can set.
        newest_at: when the newest event happened that is stored and a day old; 0 if there is none.
    """

    def __init__(self, now: Clock, boottime: Callable[[], float], newest_at: int) -> None:
        self.now = now
        self._boottime = boottime
        self._offset = self._offset_now()
        self._doubted_until, self._why = -math.inf, ""
        if newest_at and now() - newest_at > _MOST_AHEAD:
            self._begin_to_doubt(f"is {(now() - newest_at) // DAY} days ahead of the newest event before today")

    def doubt(self) -> str:
        """Say why the clock is not believed at present; '' if it is."""
        leap = self._offset_now() - self._offset
        if abs(leap) > _MOST_LEAP:
            self._offset += leap
            self._begin_to_doubt(f"was set {abs(leap) // HOUR} h {'ahead' if leap > 0 else 'back'}")
        return self._why if self._boottime() < self._doubted_until else ""

    def _begin_to_doubt(self, what: str) -> None:
        self._doubted_until = self._boottime() + _DOUBTED_FOR_S
        self._why = f"this machine's clock {what}: it is believed again once it has been steady for a day"

    def _offset_now(self) -> int:
        return self.now() - round(self._boottime() * SECOND)


async def wall_clock(reader: Reader, now: Clock, boottime: Callable[[], float]) -> WallClock:
    """Begin to watch the wall clock; what a wrong one stored within a day, before a restart, does not vouch for it."""
    return WallClock(now, boottime, await feed.newest_before(reader, now() - DAY))
