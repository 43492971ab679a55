"""The lifetimes that a form offers."""

from dataclasses import dataclass

from keybearer.server.rules import lifetimes
from keybearer.server.rules.lifetimes import Preset


@dataclass(frozen=True, slots=True)
class OfferedLifetimes:
    """What a person may choose from; the days as ``YYYY-MM-DD``, or '' where no day of one's own fits the policy."""

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


def offered_overlaps() -> tuple[tuple[str, str], ...]:
    """Return how long old secrets may go on working: each choice with its words."""
    return tuple(lifetimes.OVERLAP_WORDS.items())
