"""The reference, line by line: the identity endpoints."""

import asyncio

import pytest

from keybearer.server.store import memberships, users
from tests.support.api import Stage
from tests.support.clock import HandClock

TEAM_PROPERTIES = [
    "object",
    "id",
    "identifier",
    "uuid",
    "name",
    "contact",
    "telephone",
    "tier",
    "logo",
    "is_support_enabled",
    "created_at",
    "updated_at",
    "archived_at",
]


async def test_get_status_is_204_with_a_valid_token_else_401(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.get("/api/v2/status")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await stage.house.api("kb_pat_test_nonsense").get("/api/v2/status")).status_code == 401


async def test_get_me_is_the_user_with_the_documented_properties_in_their_order(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.get("/api/v2/me")
    assert answer.status_code == 200
    assert list(answer.json().items()) == [
        ("object", "user"),
        ("id", stage.ada.user_id),
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("is_verified", True),
        ("is_disabled", False),
        ("created_at", "2026-11-24T12:00:00Z"),
        ("updated_at", "2026-11-24T12:00:00Z"),
    ]


async def test_get_me_tells_that_an_address_is_not_verified(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    address = ("new@example.com", "new@example.com")
    await stage.house.node.act(users.set_email, stage.ada.user_id, address, None, stage.house.node.now())
    me = (await api.get("/api/v2/me")).json()
    assert (me["email"], me["is_verified"]) == ("new@example.com", False)


async def test_patch_me_changes_the_name_and_answers_the_user(stage: Stage, clock: HandClock) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    clock.advance(hours=1)
    answer = await api.patch("/api/v2/me", json={"name": "  Ada Lovelace "})
    assert answer.status_code == 200
    assert answer.json()["name"] == "Ada Lovelace"
    assert answer.json()["updated_at"] == "2026-11-24T13:00:00Z"
    assert (await api.get("/api/v2/me")).json() == answer.json()


@pytest.mark.parametrize("body", [b"{}", b"", b"  "])
async def test_patch_me_with_an_empty_body_is_422_at_least_one_property(stage: Stage, body: bytes) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.patch("/api/v2/me", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (422, {"errors": ["At least one property is required"]})


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({"password": "correct horse battery"}, "password", id="the password cannot be changed here"),
        pytest.param({"name": "Ada", "role": "owner"}, "role", id="mass assignment of a role"),
        pytest.param({"is_verified": True}, "is_verified", id="mass assignment of being verified"),
        pytest.param({"team_id": 2, "name": "Ada"}, "team_id", id="mass assignment of a team"),
        pytest.param({"name": ""}, "name", id="empty"),
        pytest.param({"name": " \t "}, "name", id="blank"),
        pytest.param({"name": "x" * 101}, "name", id="over-long"),
        pytest.param({"name": None}, "name", id="null"),
        pytest.param({"name": 7}, "name", id="a number"),
        pytest.param({"name": ["Ada"]}, "name", id="a list"),
        pytest.param({"name": "Ada\u202egnp"}, "name", id="a bidi control"),
        pytest.param({"name": "Ada\x00"}, "name", id="a NUL"),
        pytest.param({"email": "not an address"}, "email", id="no address"),
        pytest.param({"email": "victim\uff20example.com"}, "email", id="a full-width at sign"),
        pytest.param({"email": "a@example.com\r\nBcc: b@example.com"}, "email", id="a header smuggled in"),
        pytest.param({"email": None}, "email", id="no address at all"),
    ],
)
async def test_patch_me_names_the_property_that_is_wrong_and_changes_nothing(
    stage: Stage, body: dict[str, object], named: str
) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    before = await stage.house.node.view(users.by_user_id, stage.ada.user_id)
    answer = await api.patch("/api/v2/me", json=body)
    assert answer.status_code == 422
    assert list(answer.json()) == [named]
    assert await stage.house.node.view(users.by_user_id, stage.ada.user_id) == before


async def test_patch_me_names_everything_that_is_wrong_at_once(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = await api.patch("/api/v2/me", json={"name": "", "email": "x"})
    assert set(answer.json()) == {"name", "email"}


async def test_patch_me_with_a_narrowed_token_is_403(stage: Stage) -> None:
    every_permission = " ".join(stage.house.settings.permissions)
    api = await stage.personal(stage.ada, stage.acme, every_permission)
    answer = await api.patch("/api/v2/me", json={"name": "Eve"})
    assert (answer.status_code, answer.json()) == (403, {"message": "This action is unauthorized."})
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_get_me_teams_lists_the_teams_that_the_user_belongs_to(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = (await api.get("/api/v2/me/teams")).json()
    assert [team["id"] for team in answer["data"]] == [stage.acme.team_id, stage.works.team_id]
    assert all(list(team) == TEAM_PROPERTIES for team in answer["data"])
    assert answer["total"] == 2


async def test_get_me_teams_leaves_out_a_team_that_the_user_has_left(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    await stage.house.node.act(memberships.leave, stage.works.team_id, stage.ada.user_id, stage.house.node.now())
    answer = (await api.get("/api/v2/me/teams")).json()
    assert [team["id"] for team in answer["data"]] == [stage.acme.team_id]


async def test_get_team_is_the_tokens_team_with_the_documented_properties_in_their_order(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    answer = (await api.get("/api/v2/team")).json()
    assert list(answer) == TEAM_PROPERTIES
    assert answer == {
        "object": "team",
        "id": stage.acme.team_id,
        "identifier": "acme-sandbox",
        "uuid": stage.acme.uuid,
        "name": "Acme",
        "contact": "acme@example.com",
        "telephone": None,
        "tier": "free",
        "logo": None,
        "is_support_enabled": False,
        "created_at": "2026-11-24T12:00:00Z",
        "updated_at": "2026-11-24T12:00:00Z",
        "archived_at": None,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"contact": "office@example.com"},
        {"telephone": "+44 131 496 0000"},
        {"contact": "office@example.com", "telephone": "+44 131 496 0000"},
    ],
)
async def test_patch_team_changes_contact_and_telephone(stage: Stage, clock: HandClock, change: dict[str, str]) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    before = (await api.get("/api/v2/team")).json()
    clock.advance(hours=1)
    answer = await api.patch("/api/v2/team", json=change)
    assert answer.status_code == 200
    assert answer.json() == before | change | {"updated_at": "2026-11-24T13:00:00Z"}
    assert (await api.get("/api/v2/team")).json() == answer.json()


async def test_of_two_who_patch_the_team_at_one_moment_neither_undoes_what_the_other_changed(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    for turn in range(5):
        contact, telephone = f"office{turn}@example.com", f"+44 131 496 000{turn}"
        await asyncio.gather(
            api.patch("/api/v2/team", json={"contact": contact}),
            api.patch("/api/v2/team", json={"telephone": telephone}),
        )
        team = (await api.get("/api/v2/team")).json()
        assert (team["contact"], team["telephone"]) == (contact, telephone)


async def test_patch_team_takes_the_telephone_away_with_null(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    await api.patch("/api/v2/team", json={"telephone": "112"})
    assert (await api.patch("/api/v2/team", json={"telephone": None})).json()["telephone"] is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({}, "errors", id="nothing"),
        pytest.param({"contact": None}, "contact", id="a contact cannot be taken away"),
        pytest.param({"contact": "x"}, "contact", id="no address"),
        pytest.param({"telephone": "call me"}, "telephone", id="no number"),
        pytest.param({"telephone": 112}, "telephone", id="a number that is no text"),
        pytest.param({"environment": "live"}, "environment", id="mass assignment of the environment"),
        pytest.param({"id": 2, "contact": "a@example.com"}, "id", id="another team's id in the body"),
        pytest.param({"archived_at": None}, "archived_at", id="mass assignment of a time"),
    ],
)
async def test_patch_team_names_the_property_that_is_wrong_and_changes_nothing(
    stage: Stage, body: dict[str, object], named: str
) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    before = (await api.get("/api/v2/team")).json()
    answer = await api.patch("/api/v2/team", json=body)
    assert answer.status_code == 422
    assert list(answer.json()) == [named]
    assert (await api.get("/api/v2/team")).json() == before


@pytest.mark.parametrize("role", ["member", "read-only", "assigned-only"])
async def test_patch_team_is_403_unless_the_role_allows_it(stage: Stage, role: str) -> None:
    await stage.scene.member(stage.acme, stage.cleo, role)
    api = await stage.personal(stage.cleo, stage.acme)
    answer = await api.patch("/api/v2/team", json={"telephone": "112"})
    assert (answer.status_code, answer.json()) == (403, {"message": "This action is unauthorized."})
    assert "www-authenticate" not in answer.headers


async def test_get_team_me_is_the_users_membership(stage: Stage) -> None:
    api = await stage.personal(stage.cleo, stage.acme)
    answer = (await api.get("/api/v2/team/me")).json()
    member = await stage.house.node.view(memberships.of_user, stage.acme.team_id, stage.cleo.user_id)
    assert member is not None
    assert list(answer.items()) == [
        ("object", "team_member"),
        ("id", member.membership_id),
        ("name", "Cleo"),
        ("email", "cleo@example.com"),
        ("role", "read-only"),
    ]


async def test_get_team_members_and_teams_members_by_id_are_the_same_list(stage: Stage) -> None:
    api = await stage.personal(stage.cleo, stage.acme)
    answer = (await api.get("/api/v2/team/members")).json()
    assert [(each["name"], each["role"]) for each in answer["data"]] == [("Ada", "owner"), ("Cleo", "read-only")]
    assert (await api.get(f"/api/v2/teams/{stage.acme.team_id}/members")).json() == answer


async def test_get_teams_members_by_member_id_is_that_member(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    for member in (await api.get("/api/v2/team/members")).json()["data"]:
        answer = await api.get(f"/api/v2/teams/{stage.acme.team_id}/members/{member['id']}")
        assert (answer.status_code, answer.json()) == (200, member)


async def test_a_role_is_null_once_somebody_has_left_the_team(stage: Stage) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    member = await stage.house.node.view(memberships.of_user, stage.acme.team_id, stage.cleo.user_id)
    assert member is not None
    await stage.house.node.act(memberships.leave, stage.acme.team_id, stage.cleo.user_id, stage.house.node.now())
    answer = (await api.get(f"/api/v2/teams/{stage.acme.team_id}/members/{member.membership_id}")).json()
    assert answer["role"] is None
    assert answer["name"] == "Cleo"
    assert (await api.get("/api/v2/team/members")).json()["total"] == 1


async def test_a_support_role_is_null_once_its_time_is_over(stage: Stage, clock: HandClock) -> None:
    api = await stage.personal(stage.ada, stage.works)
    await stage.scene.member(stage.works, stage.cleo, "assumed")
    member = await stage.house.node.view(memberships.of_user, stage.works.team_id, stage.cleo.user_id)
    assert member is not None
    address = f"/api/v2/teams/{stage.works.team_id}/members/{member.membership_id}"
    assert (await api.get(address)).json()["role"] == "assumed"
    clock.advance(days=1)
    api = await stage.personal(stage.ada, stage.works)
    assert (await api.get(address)).json()["role"] is None


async def test_a_user_may_have_a_different_role_in_each_team(stage: Stage) -> None:
    roles = [
        (await (await stage.personal(stage.ada, team)).get("/api/v2/team/me")).json()["role"]
        for team in (stage.acme, stage.works)
    ]
    assert roles == ["owner", "member"]
