"""One rate limit for everything that a user calls in a team: two APIs, the server's own API, and a gateway."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import httpx2
import pytest

from keybearer import RateLimited, Verifier
from keybearer.sdk.clocks import Clocks
from keybearer.sdk.session import Surroundings
from tests.support.api import Stage
from tests.support.clock import HandClock
from tests.support.house import open_house
from tests.support.verifiers import asking

LIMIT: Final = 200
IN_HAND: Final = 3  # one call for each process that counts: two APIs and the server
Calls = dict[str, Callable[[], Awaitable[bool]]]


@pytest.fixture
async def calls(stage: Stage, clock: HandClock) -> AsyncIterator[Calls]:
    """Have four ways to make a call of Ada's in Acme; each tells whether it was let through."""
    key = (await asking(stage.house)).key
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    program = stage.house.api(text)
    surroundings = Surroundings(
        lambda: httpx2.ASGITransport(stage.house.app), Clocks(clock.elapsed, lambda: clock.now() / 1_000_000)
    )

    async def at(path: str) -> bool:
        answer = await program.get(path, headers={"x-keybearer-key": key})
        assert answer.status_code in {200, 204, 429}, answer.text
        assert answer.headers["x-ratelimit-limit"] == str(LIMIT)
        return answer.status_code != 429

    async def by(verifier: Verifier) -> bool:
        try:
            await verifier.count(await verifier.verify(text))
        except RateLimited:
            return False
        return True

    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(Verifier("http://127.0.0.1", key=key, surroundings=surroundings))
            for _ in range(2)
        ]
        yield {
            "an API": lambda: by(one),
            "another API": lambda: by(other),
            "the server's own": lambda: at("/api/v2/status"),
            "a gateway": lambda: at("/forward-auth"),
        }


async def used_up(calls: Calls, *names: str) -> int:
    """Call in turns until everybody refuses; return how many calls were let through."""
    let_through = 0
    while passed := sum([await calls[name]() for name in names]):
        let_through += passed
    return let_through


async def test_four_ways_to_call_share_one_limit(calls: Calls) -> None:
    assert LIMIT - IN_HAND <= await used_up(calls, *calls) <= LIMIT


@pytest.mark.parametrize("hours", [12, -12], ids=["forwards", "back"])
async def test_a_wall_clock_that_is_set_refills_nothing_and_takes_nothing(
    calls: Calls, clock: HandClock, hours: int
) -> None:
    before = await used_up(calls, *calls)
    clock.set_wall(hours=hours)
    assert LIMIT - IN_HAND <= before + await used_up(calls, *calls) <= LIMIT
    clock.advance(seconds=30)
    assert LIMIT / 2 - IN_HAND <= await used_up(calls, *calls) <= LIMIT / 2 + IN_HAND


async def test_what_one_api_has_used_another_does_not_let_through(calls: Calls) -> None:
    assert LIMIT - IN_HAND <= await used_up(calls, "an API") <= LIMIT
    assert not await calls["another API"]()
    assert not await calls["a gateway"]()


async def test_an_api_may_not_take_from_the_limits_of_the_other_environment(stage: Stage) -> None:
    live = await asking(stage.house, "live")
    question = {"nonce": "n", "instance": live.instance, "wants": [[stage.ada.user_id, stage.acme.team_id, 5]]}
    told = (await live.post("/verifier/count", question)).json()
    assert told["grants"] == [[stage.ada.user_id, stage.acme.team_id, 0, 0, 60.0]]
    api = await stage.personal(stage.ada, stage.acme)
    assert (await api.get("/api/v2/status")).headers["x-ratelimit-remaining"] == "199"


@pytest.mark.parametrize(
    "wants",
    [
        pytest.param(None, id="none"),
        pytest.param([[1, 2]], id="two numbers"),
        pytest.param([[1, 2, 0]], id="no calls"),
        pytest.param([[1, 2, 3.5]], id="half a call"),
        pytest.param([[2**63, 2, 3]], id="an id that no database holds"),
        pytest.param([[1, 2, 3], [1, 2, 3]], id="twice the same"),
        pytest.param([[1, number + 1, 1] for number in range(501)], id="too many"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(stage: Stage, wants: object) -> None:
    verifier = await asking(stage.house)
    answer = await verifier.post("/verifier/count", {"nonce": "n", "instance": verifier.instance, "wants": wants})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_key_that_was_revoked_takes_nothing(stage: Stage) -> None:
    verifier = await asking(stage.house)
    await verifier.revoke_key()
    answer = await verifier.post("/verifier/count", {"nonce": "n", "instance": verifier.instance, "wants": []})
    assert answer.status_code == 401


async def test_a_node_that_nobody_has_called_yet_finds_a_quiet_night_regained(
    calls: Calls, stage: Stage, clock: HandClock, tmp_path: Path
) -> None:
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    await used_up(calls, "the server's own")
    settings = stage.house.settings.model_copy(update={"data_dir": tmp_path / "other"})
    async with open_house(settings, clock.now, elapsed=clock.elapsed) as started:
        clock.advance(hours=12)
        answer = await started.api(text).get("/api/v2/status")
        assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (204, str(LIMIT - 1))
