"""Attempts are counted by whoever makes them, in memory that is bounded: of too many the oldest is forgotten."""

import pytest

from keybearer.server.clock import SECOND
from keybearer.server.limits import attempts
from keybearer.server.limits.attempts import AttemptLimit
from keybearer.server.settings import Rate


def test_of_too_many_who_try_the_one_that_tried_last_is_still_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full memory must not let everybody try for ever."""
    monkeypatch.setattr(attempts, "_MOST_KEPT", 3)
    limit = AttemptLimit(Rate((1, 60)))
    for who in ("ada", "bob", "cora", "ada", "dan"):
        limit.count(who, 1_000 * SECOND)
    assert all(limit.count(who, 1_000 * SECOND) > 0 for who in ("dan", "ada", "cora"))
    assert limit.count("bob", 1_000 * SECOND) == 0
