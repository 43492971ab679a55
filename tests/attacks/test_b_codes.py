"""Attacks B: authorization codes and the proof of who asked for them."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from keybearer.server.store import tables
from tests.support.clock import HandClock
from tests.support.cutting_off import ENDS, enable
from tests.support.house import open_house
from tests.support.oauth import CHALLENGE, PROVEN, VERIFIER, Play, brought, refused
from tests.support.scenes import PASSWORD

NO_GRANT = (400, "invalid_grant")
NOT_CHALLENGES = ("a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "+", "a" * 42 + " ", "é" * 43, "a" * 42 + "\n")
NOT_VERIFIERS = ("a", "a" * 42, "a" * 129, "a" * 42 + "+", "a" * 42 + "é", "a" * 43 + "\n", "null", "undefined")
UNPROVEN: tuple[dict[str, Any], ...] = (
    {"code_challenge": None, "code_challenge_method": None},
    {"code_challenge": None},
    {"code_challenge": ""},
    {"code_challenge_method": "plain"},
    {"code_challenge_method": None},
    {"code_challenge_method": "s256"},
    *({"code_challenge": challenge} for challenge in NOT_CHALLENGES),
)


async def test_b1_b2_b3_a_public_app_without_a_good_challenge_gets_no_code(play: Play) -> None:
    before = await play.held()
    for changes in UNPROVEN:
        assert brought(await play.ask(play.public, **changes))["error"] == "invalid_request", changes
    assert await play.held() == before
    assert await play.rows(tables.authorizations) == []


async def test_b2_b3_a_challenge_that_is_sent_must_be_good_even_where_none_is_needed(play: Play) -> None:
    for changes in UNPROVEN[1:]:
        if changes != {"code_challenge": ""}:  # sent without a value is not sent (RFC 6749 §3.1)
            assert brought(await play.ask(**(PROVEN | changes)))["error"] == "invalid_request", changes


async def test_b3_a_malformed_verifier_is_refused_before_the_code_is_touched(play: Play) -> None:
    code = await play.code(play.public)
    before = await play.held()
    for verifier in NOT_VERIFIERS:
        assert refused(await play.exchange(code, play.public, code_verifier=verifier)) == NO_GRANT, verifier
    assert await play.held() == before
    assert (await play.exchange(code, play.public)).status_code == 200


@pytest.mark.parametrize(
    "verifier",
    [
        pytest.param(None, id="B4 left out"),
        pytest.param("", id="B4 empty"),
        pytest.param("a" * 43, id="B4 another"),
        pytest.param(CHALLENGE, id="B4 the challenge itself"),
    ],
)
async def test_b4_a_wrong_verifier_uses_the_code_up(play: Play, verifier: str | None) -> None:
    code = await play.code(play.public)
    assert refused(await play.exchange(code, play.public, code_verifier=verifier)) == NO_GRANT
    assert refused(await play.exchange(code, play.public)) == NO_GRANT
    assert (await play.held())["tokens"] == []


async def test_b5_a_verifier_for_a_code_without_a_challenge_is_refused(play: Play) -> None:
    code = await play.code()
    assert refused(await play.exchange(code, code_verifier=VERIFIER)) == NO_GRANT
    assert (await play.held())["tokens"] == []


async def test_b6_another_client_can_neither_use_a_code_nor_end_what_it_gave(play: Play) -> None:
    other = await play.scene.app("Other", play.birch, play.bob, "https://other.example.com/cb")
    code = await play.code()
    before = await play.held()
    for thief in (other, play.public):
        assert refused(await play.exchange(code, thief)) == NO_GRANT
    assert await play.held() == before
    pair = (await play.exchange(code)).json()
    before = await play.held()
    for thief in (other, play.public):
        assert refused(await play.exchange(code, thief)) == NO_GRANT
    assert await play.held() == before
    assert await play.status(pair["access_token"]) == 204


async def test_b7_a_second_use_ends_what_the_first_gave_and_the_refusal_keeps_that(play: Play) -> None:
    code = await play.code()
    pair = (await play.exchange(code)).json()
    refreshed = (await play.refresh(pair["refresh_token"])).json()
    assert refused(await play.exchange(code)) == NO_GRANT
    assert await play.status(refreshed["access_token"]) == 401
    assert refused(await play.refresh(refreshed["refresh_token"])) == NO_GRANT
    assert ("code.replayed", "refused") in await play.actions()


async def test_b7_a_second_use_leaves_what_other_consents_gave(play: Play) -> None:
    first, second = await play.pair(), await play.pair()
    code = await play.code()
    for _ in range(2):
        await play.exchange(code)
    assert [await play.status(pair["access_token"]) for pair in (first, second)] == [204, 204]


async def test_b8_of_many_exchanges_on_two_nodes_at_most_one_takes_the_code(play: Play) -> None:
    """The losers' second use ends the family, so the winner's tokens are dead as well: nobody knows who stole it."""
    async with open_house(play.house.settings, play.house.node.now) as second:
        for _ in range(5):
            code = await play.code()
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://app.example.com/cb"}
            form |= {"client_id": play.app.client.client_id, "client_secret": play.app.secret}
            nodes = (play.house.program(), second.program())
            answers = await asyncio.gather(*(nodes[n % 2].post("/oauth/token", data=form) for n in range(12)))
            assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 11}
            assert {refused(answer) for answer in answers if answer.status_code == 400} == {NO_GRANT}
            won = next(answer.json() for answer in answers if answer.status_code == 200)
            assert await play.status(won["access_token"]) == 401
            assert refused(await play.refresh(won["refresh_token"])) == NO_GRANT
    assert len((await play.held())["tokens"]) == 2 * 5


async def test_b9_a_code_lives_ten_minutes_and_a_clock_set_back_revives_none(play: Play, clock: HandClock) -> None:
    code = await play.code()
    clock.advance(minutes=10, seconds=-0.000001)
    assert (await play.exchange(code)).status_code == 200
    late = await play.code()
    clock.advance(minutes=10)
    before = await play.held()
    assert refused(await play.exchange(late)) == NO_GRANT
    assert await play.held() == before
    clock.advance(hours=-1)
    assert refused(await play.exchange(code)) == NO_GRANT


async def as_bearer(play: Play, text: str) -> bool:
    return await play.status(text) == 204


async def as_code(play: Play, text: str) -> bool:
    return (await play.exchange(text)).status_code == 200


async def as_refresh(play: Play, text: str) -> bool:
    return (await play.refresh(text)).status_code == 200


async def as_secret(play: Play, text: str) -> bool:
    return (await play.exchange("nothing", client_secret=text)).status_code != 401


async def as_session(play: Play, text: str) -> bool:
    answer = await play.house.program().get("/settings/apps", headers={"cookie": f"__Host-kb_session={text}"})
    return answer.status_code == 200


async def as_consent(play: Play, text: str) -> bool:
    browser = await play.browser(play.ada)
    return (await browser.post("/oauth/authorize", [("request", text), ("decision", "deny")])).status == 303


DOORS = {
    as_bearer: {"access", "personal"},
    as_code: {"code"},
    as_refresh: {"refresh"},
    as_secret: {"secret"},
    as_session: {"session"},
    as_consent: {"consent"},
}


async def every_secret(play: Play) -> dict[str, str]:
    pair, code = await play.pair(), await play.code()
    page = await play.ask()
    return {
        "code": code,
        "access": pair["access_token"],
        "refresh": pair["refresh_token"],
        "personal": await play.scene.personal_token(play.ada, play.acme),
        "secret": play.app.secret,
        "session": (await play.browser(play.ada)).client.cookies["__Host-kb_session"],
        "consent": dict(page.button("decision=allow")[0].values)["request"],
    }


async def test_b10_no_secret_of_one_kind_passes_for_another(play: Play) -> None:
    texts = await every_secret(play)
    before = await play.held()
    for door, fitting in DOORS.items():
        for kind in texts.keys() - fitting:
            assert not await door(play, texts[kind]), (door.__name__, kind)
    assert await play.held() == before
    for door, fitting in DOORS.items():
        for kind in fitting:
            assert await door(play, texts[kind]), (door.__name__, kind)


@pytest.mark.parametrize("how", ENDS)
async def test_b11_a_code_that_is_out_gives_nothing_once_nobody_may_act(play: Play, how: str) -> None:
    code = await play.code(team=play.birch)
    await ENDS[how](play)
    assert refused(await play.exchange(code)) == NO_GRANT
    assert (await play.held())["tokens"] == []
    if how == "the user is disabled":
        await enable(play)
        assert (await play.exchange(code)).status_code == 200


async def test_b12_a_code_is_for_the_team_that_was_chosen(play: Play) -> None:
    code = await play.code(team=play.birch)
    pair = (await play.exchange(code, team=str(play.acme.team_id), team_id=str(play.acme.team_id))).json()
    shown = (await play.house.api(pair["access_token"]).get("/api/v2/token")).json()
    assert shown["team"]["id"] == play.birch.team_id


async def test_b11_a_changed_password_ends_the_codes_that_are_out_and_leaves_tokens_alone(play: Play) -> None:
    pair, code = await play.pair(), await play.code()
    browser = await play.browser(play.ada)
    await browser.get("/settings/security")
    new = "a wholly different phrase"
    page = await browser.fill_and_submit("Change password", current_password=PASSWORD, password=new, password_again=new)
    assert page.status == 200, page.text
    assert refused(await play.exchange(code)) == NO_GRANT
    assert await play.status(pair["access_token"]) == 204
