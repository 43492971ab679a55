"""The rate limit's arithmetic: a generic cell rate algorithm over an integer clock, and what sharing it costs."""

from dataclasses import dataclass
from typing import Final

SETTLE_S: Final = 5.0
_SHARE: Final = 20  # no more of the limit is granted at once
_LIFE: Final = 0.6  # of the settling time
_BEAT: Final = 0.09


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    What a call leaves of a limit.

    Args:
        full_at: when all is regained; the key for the next call (microseconds).
        retry_after: microseconds until the next call is let through; 0 when this one was.
    """

    full_at: int
    retry_after: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """
    Calls that were taken off a limit together, to be made a little later.

    Args:
        calls: 0 when none are left.
        remaining: what is left for others.
        full_at: when all is regained; the key for the next chunk (microseconds).
        retry_after: microseconds until a call can be taken; 0 when some were.
    """

    calls: int
    remaining: int
    full_at: int
    retry_after: int


def draw(limit: int, window: int, full_at: int, now: int) -> Allowance:
    """
    Take one call from a limit of *limit* calls in *window* microseconds.

    The state is one number: when the limit would be untouched again. It moves on by one interval with each call and
    never backwards, so a clock that jumps back refills nothing.

    Args:
        full_at: what the last call's allowance said; 0 at first.
        now: microseconds on a clock that does not go back.

    Source: ITU-T I.371 (GCRA, virtual scheduling).
    """
    interval = window // limit
    used_until = max(full_at, now) + interval
    excess = used_until - now - window
    if excess > 0:
        return Allowance(full_at, excess)
    return Allowance(used_until, 0)


def chunk(rate: tuple[int, int], full_at: int, now: int, wanted: int) -> Chunk:
    """
    Take calls from a limit for a verifier that counts them itself.

    No more than a twentieth of the limit is given, and half of what is left, rounded up: what one of many takes and
    does not use is lost to the others.

    Args:
        rate: calls, and the microseconds in which they are regained.
        full_at: what the last chunk said; 0 at first.
        now: microseconds on a clock that does not go back.
        wanted: at least 1.
    """
    limit, window = rate
    interval = window // limit
    used_until = max(full_at, now)
    available = min(limit, (now + window - used_until) // interval)
    if available < 1:
        return Chunk(0, 0, full_at, used_until + interval - now - window)
    calls = min(wanted, max(1, limit // _SHARE), -(-available // 2))
    return Chunk(calls, available - calls, used_until + calls * interval, 0)


def settle_s(window_s: float) -> float:
    """Return by how many seconds' worth of calls a shared limit may be overstepped for a while."""
    return min(SETTLE_S, window_s)


def life_s(window_s: float) -> float:
    """Return for how long the calls of a chunk may be made, but for the last one."""
    return _LIFE * settle_s(window_s)


def beat_s(window_s: float) -> float:
    """Return how often a node that is in use moves the shared clock on."""
    return _BEAT * settle_s(window_s)


def lent(limit: int) -> int:
    """Return how many calls one verifier lets through uncounted, to be paid back, while no node answers."""
    return max(1, limit // _SHARE)


def slack(limit: int, window_s: float, verifiers: int) -> int:
    """
    Return by how many calls all verifiers together may overstep a limit.

    In any *t* seconds they let through at most ``limit + limit * t / window + slack`` calls of a user in a team. A call
    that is made now was taken off the limit at most a life (0.6 of the settling time) ago, by the clock of a node that
    is at most four beats (0.36) from that of another; the rest is for clocks whose rates differ by a hundredth. The
    one call that each verifier keeps in hand comes to that; where nodes did not answer, `lent` for each of them, too.

    Args:
        verifiers: processes that count: those of APIs, and those of the server.
    """
    return -int(-limit * settle_s(window_s) // window_s) + verifiers
