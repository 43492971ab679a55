"""Days, moments and lengths of time, written for people."""

from typing import Final

from keybearer.server.clock import DAY, HOUR, MINUTE, SECOND, as_datetime

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS: Final = ((365 * DAY, "year"), (30 * DAY, "month"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"))
_SOON: Final = 7 * DAY
_NEAR: Final = 30 * MINUTE


def day(at: int) -> str:
    """Write a day: ``24 Nov 2026`` (UTC)."""
    moment_of = as_datetime(at)
    return f"{moment_of.day} {_MONTHS[moment_of.month - 1]} {moment_of.year}"


def moment(at: int) -> str:
    """Write a moment to the minute, with its zone: ``24 Nov 2026, 12:00 UTC``."""
    return f"{day(at)}, {as_datetime(at):%H:%M} UTC"


def relative(at: int, now: int) -> str:
    """Write how far a moment is from *now* (microseconds): ``3 hours ago``, ``in 7 days``, ``just now``."""
    distance = abs(at - now)
    for length, name in _UNITS:
        if distance >= length:
            count = distance // length
            words = f"{count} {name}{'s' * (count != 1)}"
            return f"in {words}" if at > now else f"{words} ago"
    return "in less than a minute" if at > now else "just now"


def is_soon(at: int, now: int) -> bool:
    """Tell whether so little time is left until *at* that people should see it before they look for it."""
    return at - now <= _SOON


def is_near(at: int, now: int) -> bool:
    """Tell whether *at* is so near that whoever is in the middle of something should know."""
    return at - now <= _NEAR


def duration(seconds: int) -> str:
    """Write a length of time in its largest unit, down to tenths where it does not fit: ``1 year``, ``1.5 hours``."""
    for length, name in _UNITS:
        count = seconds * SECOND / length
        if count >= 1:
            return f"{count:.1f}".removesuffix(".0") + f" {name}{'s' * (count != 1)}"
    return f"{seconds} second{'s' * (seconds != 1)}"
