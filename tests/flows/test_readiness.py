"""A node whose clock is wrong, and ``/readyz``: nodes share a database, so its clock is the one to be in step with."""

import pytest

from keybearer.server.clock import HOUR, MINUTE, SECOND, now
from keybearer.server.reads.readiness import clock_apart
from tests.support.api import set_stage
from tests.support.clock import HandClock
from tests.support.house import House
from tests.support.reports import reporting


@pytest.mark.parametrize(
    ("off_s", "said"),
    [
        pytest.param(0, "", id="right"),
        pytest.param(600, "s ahead of the database's", id="ahead"),
        pytest.param(-600, "s behind the database's", id="behind"),
    ],
)
async def test_how_far_a_clock_is_off_is_said(house: House, off_s: int, said: str) -> None:
    told = await clock_apart(house.node.database, lambda: now() + off_s * SECOND)
    if await house.node.database.clock() is None:
        assert told == "", "an embedded database has no clock of its own"
    else:
        assert (said in told, told == "") == (True, said == "")


async def test_a_node_whose_clock_is_wrong_serves_and_says_so(house: House, clock: HandClock) -> None:
    clock.set_wall(hours=-10 * 365 * 24)
    answer = await house.program().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    has_clock = await house.node.database.clock() is not None
    assert ("behind the database's" in answer.json().get("clock", "")) == has_clock


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_node_whose_clock_is_behind_refuses_no_record_for_that(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = await reporting(await set_stage(house))
    right = house.node.now() + HOUR

    async def told(_: object) -> int:
        return right

    monkeypatch.setattr(type(house.node.database), "clock", told)
    answer = await api.report([api.line(1, at=right), api.line(2, at=right + 5 * MINUTE + 1)])
    assert (answer["kept"], [refused["n"] for refused in answer["refused"]]) == (1, [2])
