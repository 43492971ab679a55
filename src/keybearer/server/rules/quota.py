"""The rate limit's arithmetic: a generic cell rate algorithm over an integer clock."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    What a call leaves of a limit.

    Args:
        limit: calls a window, as announced.
        remaining: calls that would be let through right now, after this one.
        full_at: when all is regained; the key for the next call (microseconds).
        retry_after: microseconds until the next call is let through; 0 when this one was.
    """

    limit: int
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
        return Allowance(limit, 0, full_at, excess)
    return Allowance(limit, (now + window - used_until) // interval, used_until, 0)
