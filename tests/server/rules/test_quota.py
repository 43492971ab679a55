"""The rate limit lets through what it announces, refills steadily, and a clock that jumps back gives nothing."""

from hypothesis import given
from hypothesis import strategies as st

from keybearer.server.rules.quota import draw

MINUTE = 60_000_000
START = 1_000_000_000_000


def _draw_many(times: int, *, at: int, full_at: int = 0, limit: int = 200) -> tuple[int, int]:
    """Return how many of *times* calls at one moment were let through, and the state after them."""
    passed = 0
    for _ in range(times):
        allowance = draw(limit, MINUTE, full_at, at)
        full_at = allowance.full_at
        passed += allowance.retry_after == 0
    return passed, full_at


def test_exactly_the_announced_number_of_calls_passes_at_once() -> None:
    assert _draw_many(250, at=START)[0] == 200


def test_the_call_at_the_told_time_passes_and_the_one_before_does_not() -> None:
    _, full_at = _draw_many(200, at=START)
    refused = draw(200, MINUTE, full_at, START)
    assert refused.retry_after > 0
    assert draw(200, MINUTE, full_at, START + refused.retry_after - 1).retry_after == 1
    assert draw(200, MINUTE, full_at, START + refused.retry_after).retry_after == 0


def test_after_a_window_of_rest_all_is_regained() -> None:
    _, full_at = _draw_many(200, at=START)
    assert _draw_many(250, at=START + MINUTE, full_at=full_at)[0] == 200


def test_a_clock_that_jumps_back_refills_nothing() -> None:
    _, full_at = _draw_many(200, at=START)
    assert _draw_many(10, at=START - MINUTE, full_at=full_at)[0] == 0


def test_refused_calls_do_not_lengthen_the_wait() -> None:
    _, full_at = _draw_many(200, at=START)
    assert _draw_many(1000, at=START, full_at=full_at)[1] == full_at


@given(st.lists(st.integers(0, MINUTE), min_size=1, max_size=300))
def test_no_window_ever_lets_more_than_twice_the_limit_through(pauses: list[int]) -> None:
    now, full_at, passed_at = START, 0, []
    for pause in pauses:
        now += pause
        allowance = draw(10, MINUTE, full_at, now)
        full_at = allowance.full_at
        if allowance.retry_after == 0:
            passed_at.append(now)
    for begin in passed_at:
        assert sum(begin <= at < begin + MINUTE for at in passed_at) <= 20
