"""RFC 7662, Token Introspection."""

import pytest

from keybearer.server.clock import DAY, SECOND
from keybearer.server.secrets import digest
from keybearer.server.store import tokens
from tests.support.oauth import Play, refused
from tests.support.verifiers import asking

INTROSPECT = "/oauth/introspect"


async def test_2_1_a_resource_server_asks_with_its_key_as_bearer_or_with_its_id_by_basic(play: Play) -> None:
    text = await play.scene.personal_token(play.ada, play.acme)
    server = await asking(play.house)
    by_bearer = await server.program.post(INTROSPECT, data={"token": text})
    basic = (server.resource_server_id, server.key)
    by_basic = await play.house.program().post(INTROSPECT, data={"token": text}, auth=basic)
    assert by_bearer.status_code == by_basic.status_code == 200
    assert by_bearer.json() == by_basic.json()
    assert by_bearer.json()["active"] is True


async def test_2_1_a_client_asks_as_it_authenticates_at_the_token_endpoint(play: Play) -> None:
    access = (await play.pair())["access_token"]
    by_form = await play.post(INTROSPECT, token=access)
    basic = (play.app.client.client_id, play.app.secret)
    by_basic = await play.house.program().post(INTROSPECT, data={"token": access}, auth=basic)
    assert by_form.json() == by_basic.json()
    assert by_form.json()["active"] is True


async def test_2_1_the_token_is_required_and_a_hint_changes_nothing(play: Play) -> None:
    access = (await play.pair())["access_token"]
    assert refused(await play.post(INTROSPECT)) == (400, "invalid_request")
    for hint in ("access_token", "refresh_token", "nonsense"):
        assert (await play.post(INTROSPECT, token=access, token_type_hint=hint)).json()["active"] is True
    assert (await play.house.program().get(INTROSPECT, params={"token": access})).status_code == 405


async def test_2_2_an_active_token_is_told_with_its_subject_and_what_it_may_do_now(play: Play) -> None:
    server = await asking(play.house)
    narrowed = await play.scene.personal_token(play.ada, play.birch, "team:read team:manage")
    answer = await server.program.post(INTROSPECT, data={"token": narrowed})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    held = await play.house.node.view(tokens.held, digest(narrowed))
    assert held is not None
    assert answer.json() == {
        "active": True,
        "token_type": "Bearer",
        "scope": "team:read",  # Ada only reads in Birch
        "sub": str(play.ada.user_id),
        "username": "ada@example.com",
        "exp": (play.house.node.now() + DAY) // SECOND,
        "iss": "https://keybearer.test",
        "jti": held.token_id,
        "team": play.birch.team_id,
        "role": "read-only",
        "environment": "sandbox",
    }
    access = (await play.pair())["access_token"]
    told = (await server.program.post(INTROSPECT, data={"token": access})).json()
    assert (told["client_id"], told["sub"]) == (play.app.client.client_id, str(play.ada.user_id))


async def test_2_2_a_refresh_token_is_told_to_its_client_until_it_is_used(play: Play) -> None:
    first = await play.pair(scope="team:read")
    told = (await play.post(INTROSPECT, token=first["refresh_token"])).json()
    assert (told["active"], told["token_type"], told["scope"]) == (True, "refresh_token", "team:read")
    assert (told["sub"], told["client_id"]) == (str(play.ada.user_id), play.app.client.client_id)
    second = (await play.refresh(first["refresh_token"])).json()
    assert (await play.post(INTROSPECT, token=first["refresh_token"])).json() == {"active": False}
    assert (await play.post(INTROSPECT, token=second["refresh_token"])).json()["active"] is True
    await play.post("/oauth/revoke", token=second["refresh_token"])
    for text in (second["refresh_token"], second["access_token"]):
        assert (await play.post(INTROSPECT, token=text)).json() == {"active": False}


async def test_2_2_to_ask_uses_nothing_up_and_changes_nothing(play: Play) -> None:
    pair = await play.pair()
    before = await play.held()
    for text in pair["access_token"], pair["refresh_token"], "x":
        await play.post(INTROSPECT, token=text)
    assert await play.held() == before
    assert (await play.refresh(pair["refresh_token"])).status_code == 200


@pytest.mark.parametrize("kind", ["personal", "access"])
async def test_2_2_a_token_past_its_end_is_not_active(play: Play, kind: str) -> None:
    server = await asking(play.house)
    text = await play.scene.personal_token(play.ada, play.acme)
    if kind == "access":
        text = (await play.pair())["access_token"]
    told = (await server.program.post(INTROSPECT, data={"token": text})).json()
    clock = play.house.node.now.__self__  # type: ignore[attr-defined]
    clock.at = told["exp"] * SECOND - 1
    assert (await server.program.post(INTROSPECT, data={"token": text})).json()["active"] is True
    clock.at = told["exp"] * SECOND + SECOND
    assert (await server.program.post(INTROSPECT, data={"token": text})).json() == {"active": False}


async def test_2_3_whoever_does_not_authenticate_is_told_how(play: Play) -> None:
    access = (await play.pair())["access_token"]
    wrong = await play.house.program().post(INTROSPECT, data={"token": access}, auth=("nobody0", "x"))
    assert refused(wrong) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic ")
    assert "Bearer " in wrong.headers["www-authenticate"]
