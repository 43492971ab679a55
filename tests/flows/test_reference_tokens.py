"""The reference, line by line: tokens in general and personal access tokens, as a program meets them."""

import json

import pytest

from keybearer.server.api.routes import ENDPOINTS
from keybearer.server.records import Team
from keybearer.server.store import memberships, teams
from tests.support.activity import recorded
from tests.support.api import Stage
from tests.support.clock import HandClock

BOTH_KINDS = pytest.mark.parametrize("kind", ["pat", "oat"])


def _filled(path: str, team: Team) -> str:
    return "/api/v2" + path.replace("{team_id}", str(team.team_id)).replace("{member_id}", "1")


async def test_almost_every_endpoint_needs_an_authorization_bearer_token(stage: Stage) -> None:
    for endpoint in ENDPOINTS:
        answer = await stage.house.program().request(endpoint.method, _filled(endpoint.path, stage.acme))
        assert (answer.status_code, answer.json()) == (401, {"error": "Unauthenticated."}), endpoint.path


async def test_a_token_is_never_accepted_in_a_query_string(stage: Stage) -> None:
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    answer = await stage.house.program().get("/api/v2/me", params={"access_token": text, "token": text})
    assert answer.status_code == 401


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json"])
async def test_a_token_is_never_accepted_in_a_request_body(stage: Stage, content_type: str) -> None:
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    body = json.dumps({"access_token": text}) if "json" in content_type else f"access_token={text}"
    answer = await stage.house.program().request(
        "PATCH", "/api/v2/me", content=body.encode(), headers={"content-type": content_type}
    )
    assert answer.status_code == 401


@BOTH_KINDS
async def test_a_token_is_linked_to_the_user_who_granted_it(stage: Stage, kind: str) -> None:
    api = await stage.either_kind(kind, stage.ada, stage.acme)
    assert (await api.get("/api/v2/me")).json()["id"] == stage.ada.user_id


@BOTH_KINDS
@pytest.mark.parametrize(
    ("role", "may_manage"),
    [("owner", True), ("member", False), ("read-only", False), ("assigned-only", False), ("assumed", True)],
)
async def test_a_token_may_do_exactly_what_its_user_may_do(
    stage: Stage, kind: str, role: str, may_manage: bool
) -> None:
    await stage.scene.member(stage.acme, stage.bob, role)
    api = await stage.either_kind(kind, stage.bob, stage.acme)
    answer = await api.patch("/api/v2/team", json={"telephone": "112"})
    assert answer.status_code == (200 if may_manage else 403)
    shown = (await api.get("/api/v2/token")).json()
    assert shown["role"] == role
    assert set(shown["permissions"]) == stage.house.node.role_permissions[role]


@BOTH_KINDS
async def test_a_changed_role_changes_the_token(stage: Stage, kind: str) -> None:
    api = await stage.either_kind(kind, stage.ada, stage.works)
    assert (await api.patch("/api/v2/team", json={"telephone": "112"})).status_code == 403
    await stage.scene.member(stage.works, stage.ada, "owner")
    assert (await api.patch("/api/v2/team", json={"telephone": "112"})).status_code == 200
    await stage.scene.member(stage.works, stage.ada, "read-only")
    assert (await api.patch("/api/v2/team", json={"telephone": "113"})).status_code == 403


@BOTH_KINDS
async def test_everything_done_with_a_token_is_attributed_to_its_user(stage: Stage, kind: str) -> None:
    api = await stage.either_kind(kind, stage.ada, stage.acme)
    answer = await api.patch("/api/v2/team", json={"telephone": "112"})
    record = (await recorded(stage.house.node.database))[-1]
    assert (record["action"], record["user_id"]) == ("team.changed", stage.ada.user_id)
    assert (record["team_id"], record["environment"]) == (stage.acme.team_id, "sandbox")
    assert record["token_last4"] == api.headers["authorization"][-4:]
    assert (record["client_id"] is None) == (kind == "pat")
    assert record["request_id"] == answer.headers["x-request-id"]


@BOTH_KINDS
async def test_a_token_reaches_only_the_one_team_even_if_the_user_belongs_to_several(stage: Stage, kind: str) -> None:
    in_acme = await stage.either_kind(kind, stage.ada, stage.acme)
    in_works = await stage.either_kind(kind, stage.ada, stage.works)
    assert (await in_acme.get("/api/v2/team")).json()["id"] == stage.acme.team_id
    assert (await in_works.get("/api/v2/team")).json()["id"] == stage.works.team_id
    assert (await in_acme.get(f"/api/v2/teams/{stage.works.team_id}/members")).status_code == 404


async def test_an_integration_for_many_accounts_holds_one_token_per_user_and_team(stage: Stage) -> None:
    app = await stage.scene.app("Many", stage.acme, stage.ada, "https://app.example.com/cb")
    third = await stage.scene.team("Third", owner=stage.bob, member=stage.ada)
    pairs = [(stage.ada, stage.acme), (stage.ada, third), (stage.cleo, stage.acme), (stage.bob, third)]
    held = [await stage.app_access(app, user, team) for user, team in pairs]
    for api, (user, team) in zip(held, pairs, strict=True):
        shown = (await api.get("/api/v2/token")).json()
        assert (shown["user"]["id"], shown["team"]["id"]) == (user.user_id, team.team_id)


async def test_nothing_done_in_a_sandbox_touches_production(stage: Stage) -> None:
    live_before = await stage.house.node.view(teams.by_team_id, stage.works.team_id)
    api = await stage.personal(stage.ada, stage.acme)
    assert (await api.patch("/api/v2/team", json={"telephone": "112", "contact": "new@example.com"})).status_code == 200
    assert (await api.get("/api/v2/token")).json()["environment"] == "sandbox"
    assert await stage.house.node.view(teams.by_team_id, stage.works.team_id) == live_before
    live = await stage.house.node.view(memberships.of_user, stage.works.team_id, stage.ada.user_id)
    assert live is not None
    assert live.role == "member"


async def test_a_personal_token_ends_by_itself(stage: Stage, clock: HandClock) -> None:
    api = await stage.personal(stage.ada, stage.acme)  # a day
    clock.advance(days=1, seconds=-0.000001)
    assert (await api.get("/api/v2/status")).status_code == 204
    clock.advance(seconds=0.000001)
    assert (await api.get("/api/v2/status")).status_code == 401


async def test_a_token_says_what_it_is_and_never_its_text(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme, "team:read")
    answer = await api.get("/api/v2/token")
    shown = answer.json()
    assert list(shown) == [
        "object",
        "kind",
        "name",
        "user",
        "team",
        "role",
        "permissions",
        "environment",
        "created_at",
        "expires_at",
        "last_used_at",
    ]
    assert shown["kind"] == "pat"
    assert shown["user"] == {"object": "user", "id": stage.ada.user_id, "name": "Ada", "email": "ada@example.com"}
    assert shown["team"] == {
        "object": "team",
        "id": stage.acme.team_id,
        "identifier": "acme-sandbox",
        "name": "Acme",
    }
    assert shown["permissions"] == ["team:read"]
    assert (shown["created_at"], shown["expires_at"]) == ("2026-11-24T12:00:00Z", "2026-11-25T12:00:00Z")
    assert shown["last_used_at"] is None
    assert api.headers["authorization"].removeprefix("Bearer ") not in answer.text


async def test_an_apps_token_is_called_as_its_app(stage: Stage) -> None:
    app = await stage.scene.app("Importer", stage.acme, stage.ada, "https://app.example.com/cb")
    api = await stage.app_access(app, stage.ada, stage.acme)
    shown = (await api.get("/api/v2/token")).json()
    assert (shown["kind"], shown["name"]) == ("oat", "Importer")


async def test_a_token_tells_its_last_use_to_the_minute(stage: Stage, clock: HandClock) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    await api.get("/api/v2/status")
    await stage.house.node.last_used.write(stage.house.node.database)
    clock.advance(minutes=3)
    assert (await api.get("/api/v2/token")).json()["last_used_at"] == "2026-11-24T12:00:00Z"
    await stage.house.node.last_used.write(stage.house.node.database)
    assert (await api.get("/api/v2/token")).json()["last_used_at"] == "2026-11-24T12:03:00Z"


async def test_a_personal_token_can_revoke_itself(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    other = await stage.personal(stage.ada, stage.acme)
    answer = await api.delete("/api/v2/token")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.get("/api/v2/status")).status_code == 401
    assert (await other.get("/api/v2/status")).status_code == 204
    record = (await recorded(stage.house.node.database))[-1]
    assert (record["action"], record["user_id"]) == ("grant.ended", stage.ada.user_id)


async def test_an_apps_token_revokes_only_itself(stage: Stage) -> None:
    app = await stage.scene.app("Importer", stage.acme, stage.ada, "https://app.example.com/cb")
    api = await stage.app_access(app, stage.ada, stage.acme)
    other = await stage.app_access(app, stage.ada, stage.acme)
    assert (await api.delete("/api/v2/token")).status_code == 204
    assert (await api.get("/api/v2/status")).status_code == 401
    assert (await other.get("/api/v2/status")).status_code == 204
    record = (await recorded(stage.house.node.database))[-1]
    assert (record["action"], record["client_id"]) == ("token.revoked", app.client.client_id)
