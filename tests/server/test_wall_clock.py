"""A wall clock that leapt, or is far ahead of what is stored, is not believed until it has been steady for a day."""

from datetime import timedelta

import pytest

from keybearer.server.clock import DAY
from keybearer.server.upkeep import unless_doubted
from keybearer.server.wall_clock import WallClock, wall_clock
from tests.server.store.trial import execute, opened
from tests.support.clock import START, HandClock

CHANGE = "INSERT INTO feed_pending (kind, subject, at) VALUES ('user.changed', 'user:7', {at})"


def _watched(clock: HandClock, newest_at: int = START) -> WallClock:
    return WallClock(clock.now, clock.elapsed, newest_at)


@pytest.mark.parametrize(
    ("leap", "told"),
    [
        pytest.param(timedelta(minutes=59), "", id="59 minutes"),
        pytest.param(timedelta(minutes=61), "was set 1 h ahead", id="61 minutes"),
        pytest.param(timedelta(days=-1), "was set 24 h back", id="a day back"),
    ],
)
def test_a_clock_that_was_set_by_more_than_an_hour_is_not_believed(leap: timedelta, told: str) -> None:
    clock = HandClock()
    watched = _watched(clock)
    clock.set_wall(hours=leap / timedelta(hours=1))
    assert told in watched.doubt()
    assert bool(watched.doubt()) == bool(told)


def test_once_it_has_been_steady_for_a_day_it_is_believed_again() -> None:
    clock = HandClock()
    watched = _watched(clock)
    clock.set_wall(hours=5_000)
    assert watched.doubt()
    clock.advance(hours=23)
    assert watched.doubt()
    clock.set_wall(hours=-5_000)
    assert watched.doubt()
    clock.advance(hours=23)
    assert watched.doubt()
    clock.advance(hours=1)
    assert not watched.doubt()


@pytest.mark.parametrize(("days", "is_believed"), [(30, True), (31, False)])
def test_a_clock_that_is_found_far_ahead_of_what_is_stored_is_not_believed(days: int, is_believed: bool) -> None:
    assert (not _watched(HandClock(), START - days * DAY).doubt()) == is_believed


def test_in_a_database_with_nothing_in_it_any_clock_is_believed() -> None:
    assert not _watched(HandClock(), newest_at=0).doubt()


async def test_months_ahead_of_what_is_stored_nothing_is_deleted(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told(_: object) -> int:
        return clock.now()

    async def delete() -> None:
        done.append("deleted")

    clock, done = HandClock(), list[str]()
    async with opened(database_url) as database:
        monkeypatch.setattr(type(database), "clock", told)
        for at in (clock.now() - 200 * DAY, clock.now()):  # the second was stored by the wrong clock, before a restart
            await execute(database_url, CHANGE.format(at=at))
        await database.number_stray_events()
        watched = await wall_clock(database, clock.now, clock.elapsed)
        await unless_doubted(database, watched, delete)
        assert not done
        clock.advance(days=1)
        await unless_doubted(database, watched, delete)
    assert done == ["deleted"]
