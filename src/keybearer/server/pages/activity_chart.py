"""The chart above the activity log: how much happened in each stretch of time, as bars that a page draws."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from keybearer.server.clock import DAY, HOUR, MINUTE
from keybearer.server.reads.activity import MOST_COUNTED
from keybearer.server.records import ActivityFilter, Tally

HEIGHT: Final = 100
_USUAL: Final = 7 * DAY
_MOST_BARS: Final = 42
_LENGTHS: Final = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY)


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a chart shows; *length* is that of a bar. All in microseconds."""

    since: int
    until: int
    length: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: from when on it counts, what it counts, and how high its two parts are."""

    at: int
    done: int
    others: int
    done_height: float
    others_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """
    All bars, the oldest first.

    Args:
        is_cut: no more than these were counted, and there may be more before them.
        uncounted: how many of the first bars tell nothing because of that.
    """

    window: Window
    bars: tuple[Bar, ...]
    highest: int
    total: int
    is_cut: bool
    uncounted: int


def window_of(wanted: ActivityFilter, now: int) -> Window:
    """Return the time that is asked about, or the week before its end."""
    until = now + 1 if wanted.until is None else min(wanted.until, now + DAY)
    since = until - _USUAL if wanted.since is None or wanted.since >= until else wanted.since
    since = max(since, 0)
    length = next((each for each in _LENGTHS if (until - since) // each < _MOST_BARS), _LENGTHS[-1])
    return Window(since, until, length)


def chart_of(window: Window, tallies: Sequence[Tally]) -> Chart:
    """Return the chart of what was counted; stretches in which nothing happened have a bar of no height."""
    counted = {tally.stretch: tally for tally in tallies}
    highest = max((tally.done + tally.others for tally in tallies), default=0)
    total = sum(tally.done + tally.others for tally in tallies)
    is_cut = total >= MOST_COUNTED
    uncounted = min(counted) - window.since // window.length if is_cut else 0
    return Chart(window, tuple(_bars(window, counted, max(highest, 1))), highest, total, is_cut, uncounted)


def _bars(window: Window, counted: dict[int, Tally], highest: int) -> Iterator[Bar]:
    for stretch in range(window.since // window.length, (window.until - 1) // window.length + 1):
        tally = counted.get(stretch, Tally(stretch, 0, 0))
        done, others = (round(part * HEIGHT / highest, 2) for part in (tally.done, tally.others))
        yield Bar(stretch * window.length, tally.done, tally.others, done, others)
