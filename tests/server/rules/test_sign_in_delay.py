"""How long a sign-in waits after wrong passwords."""

import pytest

from keybearer.server.records import Attempts
from keybearer.server.rules.sign_in_delay import FORGOTTEN_AFTER, wait_us, with_failure

SECOND = 1_000_000
DAY = 24 * 3600 * SECOND
NONE = Attempts(0, 0, 0)


@pytest.mark.parametrize(
    ("failures", "wait_s"),
    [
        pytest.param(0, 0, id="the first"),
        pytest.param(3, 0, id="the fourth"),
        pytest.param(4, 2, id="the fifth"),
        pytest.param(5, 4, id="the sixth"),
        pytest.param(12, 512, id="the thirteenth"),
        pytest.param(13, 900, id="a quarter of an hour"),
        pytest.param(48, 900, id="the forty-ninth"),
        pytest.param(49, 3600, id="an hour"),
        pytest.param(10**9, 3600, id="and never more"),
    ],
)
def test_each_wrong_password_makes_the_next_wait_longer_up_to_an_hour(failures: int, wait_s: int) -> None:
    now = 7 * DAY
    after = with_failure(Attempts(failures, now, now), now)
    assert after.failures == failures + 1
    assert wait_us(after, now) == wait_s * SECOND
    assert wait_us(after, now + wait_s * SECOND) == 0
    assert not wait_s or wait_us(after, now + wait_s * SECOND - 1) == 1


@pytest.mark.parametrize(
    ("later", "failures"),
    [pytest.param(FORGOTTEN_AFTER - 1, 51, id="a moment before"), pytest.param(FORGOTTEN_AFTER, 1, id="after a day")],
)
def test_a_day_without_a_wrong_password_forgets_them(later: int, failures: int) -> None:
    held = Attempts(50, 0, 3600 * SECOND)
    assert with_failure(held, held.blocked_until + later).failures == failures


def test_whoever_guesses_without_a_pause_has_fewer_than_a_hundred_guesses_a_day() -> None:
    now, attempts, guesses = DAY, NONE, 0
    while now < 2 * DAY:
        attempts, guesses = with_failure(attempts, now), guesses + 1
        now += max(wait_us(attempts, now), 1)
    assert 50 < guesses <= 100
