"""A clock that stands still until a test moves it."""

from dataclasses import dataclass

START = 1_795_521_600_000_000  # 2026-11-24T12:00:00Z


@dataclass(slots=True)
class HandClock:
    """Tells the time that it was set to; hand its `now` to what asks for one."""

    at: int = START
    set_by: int = 0

    def now(self) -> int:
        """Tell the time in microseconds since 1970, UTC."""
        return self.at + self.set_by

    def elapsed(self) -> float:
        """Tell the seconds that have really gone by."""
        return (self.at - START) / 1_000_000

    def set_wall(self, *, hours: float) -> None:
        """Set the time forwards or back, as an operator does: nothing has gone by."""
        self.set_by += round(3600 * hours * 1_000_000)

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move the time on; backwards too, as real clocks do."""
        self.at += round((seconds + 60 * minutes + 3600 * hours + 86400 * days) * 1_000_000)


@dataclass(slots=True)
class HandBoottime:
    """A machine's own clock that stands still until a test moves it."""

    at: float = 1_000.0

    def now(self) -> float:
        """Tell the seconds since this machine started."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Move the time on; this one never goes back."""
        self.at += seconds
