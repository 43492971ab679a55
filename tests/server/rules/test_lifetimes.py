"""How long tokens live and old secrets go on working, at the edges of what is allowed."""

import pytest

from keybearer.server.clock import DAY, HOUR, as_wire
from keybearer.server.refusals import Refusal
from keybearer.server.rules import lifetimes
from tests.support.clock import START

YEAR = 365 * DAY


@pytest.mark.parametrize(
    ("choice", "ends"),
    [
        ("7", "2026-12-01T12:00:00Z"),
        ("30", "2026-12-24T12:00:00Z"),
        ("90", "2027-02-22T12:00:00Z"),
        ("longest", "2027-11-24T12:00:00Z"),
        ("", "2027-11-24T12:00:00Z"),
    ],
)
def test_a_preset_ends_so_many_days_from_now(choice: str, ends: str) -> None:
    assert as_wire(lifetimes.end_of(choice, "", START, YEAR)) == ends


@pytest.mark.parametrize("choice", ["0", "365", "8", "-1", "forever", "30 "])
def test_another_lifetime_is_refused(choice: str) -> None:
    with pytest.raises(Refusal, match="lifetime"):
        lifetimes.end_of(choice, "", START, YEAR)


@pytest.mark.parametrize("day", ["2026-11-25", "2027-11-24"])
def test_a_day_of_ones_own_is_the_end_as_it_begins(day: str) -> None:
    assert as_wire(lifetimes.end_of("custom", day, START, YEAR)) == f"{day}T00:00:00Z"


@pytest.mark.parametrize("day", ["2026-11-24", "2027-11-25", "1999-01-01", "9999-12-31", "", "tomorrow", "2027-02-30"])
def test_a_day_that_has_begun_or_is_beyond_the_policy_is_refused(day: str) -> None:
    with pytest.raises(Refusal) as refused:
        lifetimes.end_of("custom", day, START, YEAR)
    assert refused.value.field == "expires_on"


def test_no_preset_is_longer_than_the_policy_and_the_last_is_the_policy() -> None:
    assert [preset.words for preset in lifetimes.presets(START, YEAR)] == [
        "7 days",
        "30 days",
        "60 days",
        "90 days",
        "1 year",
    ]
    assert [preset.words for preset in lifetimes.presets(START, 30 * DAY)] == ["7 days", "30 days"]
    assert [preset.words for preset in lifetimes.presets(START, HOUR)] == ["1 hour"]
    with pytest.raises(Refusal):
        lifetimes.end_of("60", "", START, 30 * DAY)


def test_the_overlap_of_two_secrets_is_one_of_four() -> None:
    assert [lifetimes.overlap_of(choice) for choice in ("now", "1h", "24h", "7d")] == [0, HOUR, DAY, 7 * DAY]
    with pytest.raises(Refusal, match="present secrets"):
        lifetimes.overlap_of("")
