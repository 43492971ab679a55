"""The reference, line by line: formats."""

import pytest

from tests.support.api import Stage
from tests.support.clock import HandClock


async def test_times_are_in_utc_in_whole_seconds(stage: Stage, clock: HandClock) -> None:
    clock.advance(seconds=0.999999)
    dora = await stage.scene.person("Dora")
    await stage.scene.member(stage.acme, dora, "member")
    api = await stage.personal(dora, stage.acme)
    assert (await api.get("/api/v2/me")).json()["created_at"] == "2026-11-24T12:00:00Z"


@pytest.mark.parametrize(
    "path",
    ["/api/v2/me", "/api/v2/me/teams", "/api/v2/team", "/api/v2/token", "/api/v2/nothing", "/api/v2/openapi.json"],
)
async def test_json_answers_are_application_json(stage: Stage, path: str) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    assert (await api.get(path)).headers["content-type"] == "application/json"


async def test_slashes_are_unescaped_and_non_ascii_is_escaped(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.patch("/api/v2/me", json={"name": "Zo\u00eb / \U0001f600"})
    assert b'"name":"Zo\\u00eb / \\ud83d\\ude00"' in answer.content
    assert answer.json()["name"] == "Zo\u00eb / \U0001f600"
    assert answer.content.isascii()


async def test_an_answer_is_never_kept_by_a_cache(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    assert (await api.get("/api/v2/me")).headers["cache-control"] == "no-store"


async def test_head_is_get_without_the_body(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    assert (await api.head("/api/v2/me")).status_code == 200
    assert (await stage.house.program().head("/api/v2/me")).status_code == 401
    narrowed = await stage.personal(stage.ada, stage.acme, "apps:read")
    assert (await narrowed.head("/api/v2/team")).status_code == 403
