"""The reference, line by line: rate limits."""

import pytest

from keybearer.server.clock import SECOND
from tests.support.api import Stage
from tests.support.clock import HandClock

LIMIT = 200
INTERVAL_S = 60 / LIMIT


async def test_every_answer_carries_limit_and_remaining(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    paths = ["/api/v2/status", "/api/v2/me/teams?limit=0", f"/api/v2/teams/{stage.works.team_id}/members"]
    answers = [await api.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [204, 422, 404]
    assert [answer.headers["x-ratelimit-limit"] for answer in answers] == ["200"] * 3
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["199", "198", "197"]


@pytest.mark.parametrize("kind", ["pat", "oat"])
async def test_so_does_one_to_what_is_not_there(stage: Stage, kind: str) -> None:
    api = await stage.either_kind(kind, stage.ada, stage.acme)
    asked = [("GET", "/api/v2/nothing"), ("HEAD", "/api/v2/me/"), ("POST", "/api/v2/me"), ("BREW", "/api/v2/status")]
    asked += [("GET", "/api/v2"), ("DELETE", "/api/v2/openapi.json"), ("OPTIONS", "/api/v2/teams/1/members")]
    answers = [await api.request(method, path) for method, path in asked]
    assert [answer.status_code for answer in answers] == [404, 404, 405, 405, 404, 405, 405]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == [str(199 - n) for n in range(7)]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"200"}
    await stage.use_up(stage.ada, stage.acme, LIMIT - len(asked))
    for method, path in asked:
        over = await api.request(method, path)
        assert (over.status_code, "retry-after" in over.headers) == (429, True), path


async def test_a_call_that_is_forbidden_counts_too(stage: Stage) -> None:
    api = await stage.personal(stage.cleo, stage.acme)
    answer = await api.patch("/api/v2/team", json={"telephone": "112"})
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (403, "199")


async def test_all_tokens_of_one_user_in_one_team_share_one_limit_whatever_their_kind(stage: Stage) -> None:
    personal = await stage.either_kind("pat", stage.ada, stage.acme)
    access = await stage.either_kind("oat", stage.ada, stage.acme)
    left = [(await api.get("/api/v2/status")).headers["x-ratelimit-remaining"] for api in (personal, access, personal)]
    assert left == ["199", "198", "197"]


async def test_the_same_users_tokens_in_another_team_have_their_own(stage: Stage) -> None:
    await stage.use_up(stage.ada, stage.acme, LIMIT)
    there = await stage.personal(stage.ada, stage.works)
    assert (await there.get("/api/v2/status")).headers["x-ratelimit-remaining"] == "199"


async def test_another_user_in_the_same_team_has_their_own(stage: Stage) -> None:
    await stage.use_up(stage.ada, stage.acme, LIMIT)
    theirs = await stage.personal(stage.cleo, stage.acme)
    assert (await theirs.get("/api/v2/status")).status_code == 204


async def test_past_the_limit_429_with_retry_after_and_reset(stage: Stage, clock: HandClock) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    await stage.use_up(stage.ada, stage.acme, LIMIT - 1)
    last = await api.get("/api/v2/status")
    assert (last.status_code, last.headers["x-ratelimit-remaining"]) == (204, "0")
    assert "retry-after" not in last.headers
    over = await api.get("/api/v2/status")
    assert over.status_code == 429
    assert (over.headers["x-ratelimit-limit"], over.headers["x-ratelimit-remaining"]) == ("200", "0")
    assert over.headers["retry-after"] == "1"
    assert over.headers["x-ratelimit-reset"] == str(clock.at // SECOND + 1)
    assert "Wait 1 second" in over.json()["message"]


async def test_after_retry_after_seconds_a_call_is_let_through(stage: Stage, clock: HandClock) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    await stage.use_up(stage.ada, stage.acme, LIMIT)
    clock.advance(seconds=INTERVAL_S - 0.000001)
    over = await api.get("/api/v2/status")
    assert over.status_code == 429
    clock.advance(seconds=int(over.headers["retry-after"]))
    assert (await api.get("/api/v2/status")).status_code == 204


async def test_a_refused_call_costs_nothing(stage: Stage, clock: HandClock) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    await stage.use_up(stage.ada, stage.acme, LIMIT)
    for _ in range(5):
        assert (await api.get("/api/v2/status")).status_code == 429
    clock.advance(seconds=INTERVAL_S)
    assert (await api.get("/api/v2/status")).status_code == 204


async def test_an_answer_to_nobody_carries_nobodys_numbers(stage: Stage) -> None:
    for answer in (
        await stage.house.program().get("/api/v2/me"),
        await stage.house.api("kb_pat_test_x").get("/api/v2/me"),
        await stage.house.program().get("/api/v2/openapi.json"),
        await stage.house.program().get("/api/v2/nothing"),
        await stage.house.api("kb_pat_test_x").get("/api/v2/nothing"),
    ):
        assert not [name for name in answer.headers if name.startswith("x-ratelimit")]
