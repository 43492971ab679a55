"""The reference, line by line: errors."""

import pytest

from keybearer.server.http.intake import MAX_BODY_BYTES
from keybearer.server.store import memberships, users
from tests.support.api import Stage
from tests.support.clock import HandClock

UNAUTHENTICATED = (401, {"error": "Unauthenticated."})


async def test_401_no_token_and_the_challenge_names_no_error(stage: Stage) -> None:
    answer = await stage.house.program().get("/api/v2/me")
    assert (answer.status_code, answer.json()) == UNAUTHENTICATED
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


async def test_401_a_token_that_is_unknown(stage: Stage) -> None:
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    changed = ("b" if text[12] == "a" else "a") + text[13:]
    answer = await stage.house.api(text[:12] + changed).get("/api/v2/me")
    assert (answer.status_code, answer.json()) == UNAUTHENTICATED
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_401_a_token_that_is_expired(stage: Stage, clock: HandClock) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    clock.advance(days=1)
    answer = await api.get("/api/v2/me")
    assert (answer.status_code, answer.json()) == UNAUTHENTICATED


async def test_401_a_token_that_is_revoked(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    assert (await api.delete("/api/v2/token")).status_code == 204
    answer = await api.get("/api/v2/me")
    assert (answer.status_code, answer.json()) == UNAUTHENTICATED
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_401_a_token_of_a_user_who_is_gone(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    now = stage.house.node.now()
    await stage.house.node.act(users.set_disabled, stage.ada.user_id, now, now)
    assert (await api.get("/api/v2/me")).status_code == 401


async def test_401_a_token_of_a_user_who_left_the_team(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.works)
    await stage.house.node.act(memberships.leave, stage.works.team_id, stage.ada.user_id, stage.house.node.now())
    assert (await api.get("/api/v2/me")).status_code == 401


async def test_403_the_token_is_fine_and_the_role_does_not_allow_this(stage: Stage) -> None:
    api = await stage.personal(stage.cleo, stage.acme)
    answer = await api.patch("/api/v2/team", json={"telephone": "112"})
    assert (answer.status_code, answer.json()) == (403, {"message": "This action is unauthorized."})


@pytest.mark.parametrize("member", ["999999", "0", "-1", "1.0", "01", "x", "99999999999999999999", "%31%00"])
async def test_404_not_found(stage: Stage, member: str) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.get(f"/api/v2/teams/{stage.acme.team_id}/members/{member}")
    assert (answer.status_code, answer.json()) == (404, {"message": "There is nothing here."})


async def test_404_also_for_what_exists_in_another_team(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    theirs = await stage.house.node.view(memberships.of_user, stage.works.team_id, stage.bob.user_id)
    assert theirs is not None
    exists = await api.get(f"/api/v2/teams/{stage.acme.team_id}/members/{theirs.membership_id}")
    does_not = await api.get(f"/api/v2/teams/{stage.acme.team_id}/members/999999")
    assert (exists.status_code, exists.content) == (404, does_not.content)


async def test_404_for_a_path_that_leads_nowhere(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    for path in ("/api/v2/nothing", "/api/v2/me/", "/api/v1/me", "/api/v2//me"):
        answer = await api.get(path)
        assert (answer.status_code, answer.json()) == (404, {"message": "There is nothing here."}), path


async def test_405_names_the_methods_that_there_are(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.post("/api/v2/me")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PATCH"}


async def test_413_too_large(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.patch(
        "/api/v2/me", content=b" " * (MAX_BODY_BYTES + 1), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
    assert "too large" in answer.json()["message"]


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
async def test_415_a_change_is_json_and_nothing_else(stage: Stage, content_type: str) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.patch("/api/v2/me", content=b'{"name": "Eve"}', headers={"content-type": content_type})
    assert answer.status_code == 415
    assert (await api.get("/api/v2/me")).json()["name"] == "Ada"


async def test_422_names_the_property(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.patch("/api/v2/me", json={"name": ""})
    assert (answer.status_code, answer.json()) == (422, {"name": ["Enter a name."]})


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[]", id="a list"),
        pytest.param(b'"name"', id="a text"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b'{"name": "Eve", "name": "Ada"}', id="a property twice"),
        pytest.param(b'{"name": NaN}', id="not a number"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(b"[" * 1000, id="deep"),
    ],
)
async def test_422_errors_for_the_request_as_a_whole(stage: Stage, body: bytes) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.patch("/api/v2/me", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert list(answer.json()) == ["errors"]


@pytest.mark.parametrize(
    ("path", "code"),
    [("/api/v2/nothing", "not_found"), ("/api/v2/me/teams?limit=0", "invalid"), ("/api/v2/team/members", "forbidden")],
)
async def test_each_error_says_where_it_is_explained(stage: Stage, path: str, code: str) -> None:
    api = await stage.personal(stage.ada, stage.acme, "team:read")
    answer = await api.get(path)
    assert answer.headers["link"] == f'<{stage.house.settings.issuer}/docs/errors#{code}>; rel="help"'


async def test_every_answer_has_a_request_id(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answers = [await api.get(path) for path in ("/api/v2/me", "/api/v2/nothing", "/api/v2/me/teams?page=0")]
    answers.append(await stage.house.program().get("/api/v2/me"))
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
