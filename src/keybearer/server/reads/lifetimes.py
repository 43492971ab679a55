"""The lifetimes that a form offers."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from keybearer.server.clock import DAY, as_datetime
from keybearer.server.rules import lifetimes
from keybearer.server.rules.lifetimes import Preset

_MAX_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class OfferedLifetimes:
    """What a person may choose from; the days as ``YYYY-MM-DD``, or '' where the policy leaves no day to choose."""

    presets: tuple[Preset, ...]
    first_day: str
    last_day: str


def offered_lifetimes(now: int, longest: int) -> OfferedLifetimes:
    """
    Return the lifetimes of a personal token made at *now*.

    Args:
        longest: the policy, in microseconds.
    """
    first, last = lifetimes.first_day(now), lifetimes.last_day(now, longest)
    fits = first <= last
    return OfferedLifetimes(
        lifetimes.presets(now, longest), first.isoformat() if fits else "", last.isoformat() if fits else ""
    )


def linked_lifetime(wanted: str, now: int, longest: int) -> tuple[str, str]:
    """
    Return what a link's ``expires`` chooses in the form: a choice, and for ``custom`` the day.

    What cannot be read leaves the day to be chosen, and what is too long is cut: nothing lives longer than was asked.

    Args:
        wanted: a number of days, a choice of the form, a day as ``YYYY-MM-DD``, or '' for the longest.
        longest: the policy, in microseconds.
    """
    choices = {preset.choice for preset in lifetimes.presets(now, longest)}
    if not wanted or wanted in choices:
        return wanted or lifetimes.LONGEST, ""
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= _MAX_DIGITS):
        return lifetimes.CUSTOM, wanted if _is_day(wanted) else ""
    if int(wanted) * DAY >= longest:
        return lifetimes.LONGEST, ""
    return lifetimes.CUSTOM, as_datetime(now + int(wanted) * DAY).date().isoformat()


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def offered_overlaps() -> tuple[tuple[str, str], ...]:
    """Return how long old secrets may go on working: each choice with its words."""
    return tuple(lifetimes.OVERLAP_WORDS.items())
