"""Each moment is told once, the latest of those that were missed alone, and nothing from before a token was made."""

from dataclasses import replace
from typing import Any

import pytest

from keybearer.server.clock import DAY, HOUR
from keybearer.server.records import Expiry, Standing
from keybearer.server.rules.expiry_notices import Look, is_still_news, look_at, next_look, retry_after

NOW = 1_795_521_600_000_000
USABLE = Standing(1, 2, "sandbox", None, None, NOW + 30 * DAY, NOW - 300 * DAY, None, None, "member", None)


def expiry(ends_in: int, born_ago: int = 300 * DAY, seen: int | None = None, look_ago: int = 0) -> Expiry:
    """Return a grant that ends so long from now, looked at because that was due *look_ago*."""
    end = NOW + ends_in
    standing = replace(USABLE, runs_out_at=end, born_at=NOW - born_ago)
    return Expiry("g", end if seen is None else seen, NOW - look_ago, "t", "abcd", standing)


@pytest.mark.parametrize(
    ("looked_at", "notice", "next_in"),
    [
        pytest.param(expiry(30 * DAY), "expiring", 23 * DAY, id="30 days before"),
        pytest.param(expiry(30 * DAY + 1), "", 1, id="a moment too early"),
        pytest.param(expiry(7 * DAY), "expiring", 6 * DAY, id="7 days before"),
        pytest.param(expiry(DAY), "expiring", DAY, id="a day before"),
        pytest.param(expiry(0), "expired", None, id="at its end"),
        pytest.param(expiry(6 * DAY, look_ago=24 * DAY), "expiring", 5 * DAY, id="two were missed, one is told"),
        pytest.param(expiry(-DAY, look_ago=31 * DAY), "expired", None, id="all four were missed"),
        pytest.param(expiry(-7 * DAY, look_ago=7 * DAY), "", None, id="over for a week"),
        pytest.param(expiry(1 - 7 * DAY, look_ago=7 * DAY), "expired", None, id="over for not quite a week"),
        pytest.param(expiry(6 * DAY, look_ago=-HOUR), "", 5 * DAY, id="looked at too soon, all before was told"),
        pytest.param(expiry(29 * DAY, DAY, seen=NOW), "", 22 * DAY, id="refreshed since, for 30 days"),
        pytest.param(expiry(29 * DAY, DAY + 1, seen=NOW), "expiring", 22 * DAY, id="refreshed, for a little longer"),
        pytest.param(expiry(6 * DAY, 20 * DAY, seen=0), "expiring", 5 * DAY, id="its end was not known yet"),
    ],
)
def test_what_a_look_finds(looked_at: Expiry, notice: str, next_in: int | None) -> None:
    assert looked_at.standing.runs_out_at is not None
    next_at = None if next_in is None else NOW + next_in
    assert look_at(looked_at, NOW) == Look(notice, looked_at.standing.runs_out_at, next_at)


@pytest.mark.parametrize(
    ("looked_at", "notice", "next_in"),
    [
        pytest.param(expiry(1, look_ago=31 * DAY), "expiring", 1 + HOUR, id="a moment before its end"),
        pytest.param(expiry(0), "", HOUR, id="at its end"),
        pytest.param(expiry(1 - HOUR, look_ago=31 * DAY), "", 1, id="over for not quite an hour, nothing was told"),
        pytest.param(expiry(-HOUR), "expired", None, id="over for an hour"),
    ],
)
def test_that_an_app_has_ended_is_told_once_no_clock_that_is_behind_can_refresh_it(
    looked_at: Expiry, notice: str, next_in: int | None
) -> None:
    app = replace(looked_at, standing=replace(looked_at.standing, client_id="app"))
    next_at = None if next_in is None else NOW + next_in
    assert look_at(app, NOW) == Look(notice, app.standing.runs_out_at or 0, next_at)
    refreshed = replace(app, standing=replace(app.standing, runs_out_at=NOW + 365 * DAY, born_at=NOW - HOUR))
    assert look_at(refreshed, NOW) == Look("", NOW + 365 * DAY, NOW + 335 * DAY)


def test_a_token_for_five_days_is_first_looked_at_a_day_before_its_end() -> None:
    assert next_look(NOW + 5 * DAY, NOW) == NOW + 4 * DAY
    assert next_look(NOW + 7 * DAY, NOW) == NOW + 6 * DAY
    assert next_look(NOW, NOW) is None


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"over_at": NOW - 1}, id="cut off"),
        pytest.param({"runs_out_at": None, "born_at": None}, id="no token left"),
    ],
)
def test_what_is_over_is_looked_at_no_more(changed: dict[str, Any]) -> None:
    over = replace(expiry(DAY), standing=replace(USABLE, **changed))
    assert look_at(over, NOW) == Look("", 0, None)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"user_disabled_at": NOW}, id="user disabled"),
        pytest.param({"team_archived_at": NOW}, id="team archived"),
        pytest.param({"role": None}, id="left the team"),
        pytest.param({"membership_expires_at": NOW}, id="support visit over"),
    ],
)
def test_who_cannot_use_it_is_told_at_the_next_moment_if_they_can_then(changed: dict[str, Any]) -> None:
    suspended = replace(expiry(30 * DAY), standing=replace(USABLE, **changed))
    assert look_at(suspended, NOW) == Look("", NOW + 30 * DAY, NOW + 23 * DAY)
    assert not is_still_news("expiring", NOW + 30 * DAY, suspended.standing, NOW)


@pytest.mark.parametrize(
    ("kind", "at", "changed", "is_news"),
    [
        pytest.param("expiring", NOW + 30 * DAY, {}, True, id="ends as it says"),
        pytest.param("expiring", NOW + 29 * DAY, {}, False, id="refreshed since"),
        pytest.param("expiring", NOW + 30 * DAY, {"over_at": NOW}, False, id="deleted since"),
        pytest.param("revoked", NOW, {"over_at": NOW, "role": None}, True, id="revoked, and out of the team"),
        pytest.param("revoked", NOW + 30 * DAY, {"over_at": NOW}, False, id="had run out before it was revoked"),
        pytest.param("revoked", NOW, {"over_at": NOW, "user_disabled_at": NOW}, False, id="revoked, user disabled"),
    ],
)
def test_what_has_waited_is_mailed_only_if_it_is_so(
    kind: str, at: int, changed: dict[str, Any], *, is_news: bool
) -> None:
    assert is_still_news(kind, at, replace(USABLE, **changed), NOW) is is_news


def test_a_mail_is_tried_again_ever_more_seldom() -> None:
    waits = [retry_after(attempts) for attempts in range(1, 8)]
    assert waits == sorted(waits)
    assert waits[-1] == waits[-2] == 6 * HOUR
