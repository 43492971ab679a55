"""The reference, line by line: OAuth 2.0, as an app and its users meet it."""

import pytest

from tests.support.clock import HandClock
from tests.support.oauth import CALLBACK, Play, brought, refused
from tests.support.scenes import PASSWORD

YEAR_S = 31_536_000
SHAPE = ["token_type", "expires_in", "access_token", "refresh_token"]


async def test_authorize_asks_for_login_first_if_there_is_no_session(play: Play) -> None:
    browser = play.house.browser()
    page = await browser.get(play.link(play.app))
    assert page.title == "Sign in · Keybearer"
    page = await browser.fill_and_submit("Sign in", email="ada@example.com", password=PASSWORD)
    assert "Ledger Sync asks to act as you" in page.text


async def test_the_redirect_uri_must_match_a_registered_one(play: Play) -> None:
    page = await play.ask(redirect_uri=f"{CALLBACK}/other")
    assert (page.status, page.location) == (400, "")
    assert (await play.ask(redirect_uri=CALLBACK)).status == 200


@pytest.mark.parametrize("state", [None, "s1", "a b&c=d/é"])
async def test_state_is_optional_and_returned(play: Play, state: str | None) -> None:
    for decision in ("deny", "allow"):
        await play.ask(state=state)
        assert brought(await play.decide(decision)).get("state") == state


async def test_granted_is_a_redirect_with_code_and_state(play: Play) -> None:
    await play.ask()
    told = brought(await play.decide("allow"))
    assert set(told) == {"code", "state", "iss"}
    assert told["state"] == "s1"


async def test_denied_is_access_denied_and_state_instead_of_a_code(play: Play) -> None:
    await play.ask()
    told = brought(await play.decide("deny"))
    assert (told["error"], told["state"]) == ("access_denied", "s1")
    assert "code" not in told


async def test_a_code_lives_ten_minutes_and_works_once(play: Play, clock: HandClock) -> None:
    early, late = await play.code(), await play.code()
    clock.advance(minutes=9, seconds=59)
    assert (await play.exchange(early)).status_code == 200
    assert refused(await play.exchange(early)) == (400, "invalid_grant")
    clock.advance(seconds=1)
    assert refused(await play.exchange(late)) == (400, "invalid_grant")


async def test_the_token_answer_has_the_references_shape_and_order(play: Play) -> None:
    answer = await play.exchange(await play.code())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    body = answer.json()
    assert list(body) == SHAPE
    assert (body["token_type"], body["expires_in"]) == ("Bearer", YEAR_S)
    assert body["access_token"].startswith("kb_oat_test_")
    assert body["refresh_token"].startswith("kb_ort_test_")


async def test_a_refresh_is_answered_in_the_same_shape(play: Play) -> None:
    first = await play.pair()
    answer = await play.refresh(first["refresh_token"])
    second = answer.json()
    assert (answer.status_code, list(second)) == (200, SHAPE)
    assert second["expires_in"] == YEAR_S
    assert not {first["access_token"], first["refresh_token"]} & {second["access_token"], second["refresh_token"]}


@pytest.mark.parametrize("redirect_uri", [None, CALLBACK])
async def test_a_refresh_may_name_the_redirect_uri(play: Play, redirect_uri: str | None) -> None:
    first = await play.pair()
    assert (await play.refresh(first["refresh_token"], redirect_uri=redirect_uri)).status_code == 200


async def test_both_old_tokens_are_invalid_as_soon_as_the_refresh_has_succeeded(play: Play, clock: HandClock) -> None:
    first = await play.pair()
    assert await play.status(first["access_token"]) == 204
    second = (await play.refresh(first["refresh_token"])).json()
    assert await play.status(first["access_token"]) == 401
    assert await play.status(second["access_token"]) == 204
    clock.advance(seconds=10)  # until then a lost answer is given again
    assert refused(await play.refresh(first["refresh_token"])) == (400, "invalid_grant")


async def test_a_refresh_that_fails_leaves_both_tokens_valid(play: Play) -> None:
    first = await play.pair()
    assert (await play.refresh(first["refresh_token"], client_secret="wrong")).status_code == 401
    assert (await play.refresh(first["refresh_token"], scope="nonsense")).status_code == 400
    assert await play.status(first["access_token"]) == 204
    assert (await play.refresh(first["refresh_token"])).status_code == 200


async def test_an_access_token_lives_a_year(play: Play, clock: HandClock) -> None:
    pair = await play.pair()
    clock.advance(seconds=YEAR_S - 1)
    assert await play.status(pair["access_token"]) == 204
    clock.advance(seconds=1)
    assert await play.status(pair["access_token"]) == 401


async def test_an_empty_scope_means_no_narrowing(play: Play) -> None:
    for scope in ("", None):
        first = await play.pair(scope=scope)
        second = (await play.refresh(first["refresh_token"], scope=scope)).json()
        assert list(second) == SHAPE
        shown = (await play.house.api(second["access_token"]).get("/api/v2/token")).json()
        assert set(shown["permissions"]) == play.house.node.role_permissions["owner"]


async def test_the_client_may_say_who_it_is_in_the_form_or_by_basic(play: Play) -> None:
    for _ in range(2):
        assert (await play.exchange(await play.code())).status_code == 200
    form = {"grant_type": "authorization_code", "code": await play.code(), "redirect_uri": CALLBACK}
    auth = (play.app.client.client_id, play.app.secret)
    answer = await play.house.program().post("/oauth/token", data=form, auth=auth)
    assert answer.status_code == 200
    form = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
    assert (await play.house.program().post("/oauth/token", data=form, auth=auth)).status_code == 200


async def test_the_user_may_revoke_an_apps_access_at_any_time_and_has_to_be_asked_again(play: Play) -> None:
    pair = await play.pair()
    browser = await play.browser(play.ada)
    await browser.get("/settings/apps")
    await browser.fill_and_submit("Revoke", row="Ledger Sync")
    page = await browser.fill_and_submit("Revoke")
    assert page.status == 200, page.text
    assert await play.status(pair["access_token"]) == 401
    assert refused(await play.refresh(pair["refresh_token"])) == (400, "invalid_grant")
    again = await play.pair()
    assert await play.status(again["access_token"]) == 204


async def test_a_token_reaches_only_the_team_that_was_chosen(play: Play) -> None:
    pair = await play.pair(team=play.birch)
    api = play.house.api(pair["access_token"])
    assert (await api.get("/api/v2/team")).json()["id"] == play.birch.team_id
    assert (await api.get(f"/api/v2/teams/{play.acme.team_id}/members")).status_code == 404
