"""How long a personal token lives, and how long a client's old secret goes on working beside a new one."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from keybearer.server import refusals
from keybearer.server.units import DAY, HOUR, MINUTE, SECOND

LONGEST: Final = "longest"
CUSTOM: Final = "custom"

_PRESET_DAYS: Final = (7, 30, 60, 90)
_YEAR_DAYS: Final = 365

# How long the old secrets go on working after a rotation, and the words in which people choose.
OVERLAPS: Final = {"now": 0, "1h": HOUR, "24h": 24 * HOUR, "7d": 7 * DAY}
OVERLAP_WORDS: Final = {"now": "Stop at once", "1h": "1 hour", "24h": "24 hours", "7d": "7 days"}


@dataclass(frozen=True, slots=True)
class Preset:
    """A lifetime to choose from; it would end at *ends_at*, microseconds since 1970 UTC."""

    choice: str
    words: str
    ends_at: int


def presets(now: int, longest: int) -> tuple[Preset, ...]:
    """
    Return the lifetimes to choose from, shortest first; the last is the longest that is allowed.

    Args:
        now: microseconds since 1970 UTC.
        longest: the policy, in microseconds.
    """
    shorter = [Preset(str(days), f"{days} days", now + days * DAY) for days in _PRESET_DAYS if days * DAY < longest]
    return (*shorter, Preset(LONGEST, _in_words(longest), now + longest))


def end_of(choice: str, day: str, now: int, longest: int) -> int:
    """
    Return when a token made at *now* ends: microseconds since 1970 UTC.

    Args:
        choice: a preset's, or ``custom``; '' is the longest.
        day: for ``custom``: ``YYYY-MM-DD``; the token ends as that day begins, in UTC.
        longest: the policy, in microseconds.

    Raises:
        Refusal: ``invalid``, field ``lifetime`` or ``expires_on``.
    """
    if choice == CUSTOM:
        return _start_of(day, now, longest)
    ends = {preset.choice: preset.ends_at for preset in presets(now, longest)}
    end = ends.get(choice or LONGEST)
    if end is None:
        raise refusals.invalid("lifetime", "Choose one of the lifetimes.", "lifetime unknown")
    return end


def overlap_of(choice: str) -> int:
    """
    Return for how many microseconds the old secrets go on working.

    Raises:
        Refusal: ``invalid``, field ``overlap``.
    """
    if choice not in OVERLAPS:
        raise refusals.invalid("overlap", "Choose how long the present secrets go on working.")
    return OVERLAPS[choice]


def last_day(now: int, longest: int) -> date:
    """Return the last day at whose beginning a token made at *now* may end."""
    return _utc(now + longest).date()


def first_day(now: int) -> date:
    """Return the first day that has not begun yet at *now*."""
    return _utc((now // DAY + 1) * DAY).date()


def _start_of(day: str, now: int, longest: int) -> int:
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        raise refusals.invalid("expires_on", "Enter the day as YYYY-MM-DD.", "day unreadable") from None
    first, last = first_day(now), last_day(now, longest)
    if not first <= chosen <= last:
        raise refusals.invalid("expires_on", f"Choose a day from {first} to {last}.", f"day {chosen}")
    return round(datetime(chosen.year, chosen.month, chosen.day, tzinfo=UTC).timestamp()) * SECOND


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at // SECOND, UTC)


def _in_words(length: int) -> str:
    """Return a length of time as a person says it."""
    if length == _YEAR_DAYS * DAY:
        return "1 year"
    for unit, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if length >= unit:
            count = length // unit
            return f"{count} {word}{'s' * (count != 1)}"
    return f"{length // SECOND} seconds"
