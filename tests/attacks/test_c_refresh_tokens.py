"""Attacks C: refresh tokens that were used, stolen, or kept for too long."""

import asyncio

import httpx2
import pytest

from tests.support.clock import HandClock
from tests.support.cutting_off import ENDS, delete_app, enable
from tests.support.house import open_house
from tests.support.oauth import Play, refused

NO_GRANT = (400, "invalid_grant")


async def test_c1_a_late_second_use_ends_the_whole_family_and_is_written_down(play: Play, clock: HandClock) -> None:
    first = await play.pair()
    second = (await play.refresh(first["refresh_token"])).json()
    clock.advance(seconds=10)
    assert refused(await play.refresh(first["refresh_token"])) == NO_GRANT
    assert await play.status(second["access_token"]) == 401
    assert refused(await play.refresh(second["refresh_token"])) == NO_GRANT
    assert (await play.actions()).count(("refresh.replayed", "refused")) == 1


async def test_c1_other_families_of_the_same_grant_live_on(play: Play, clock: HandClock) -> None:
    other, first = await play.pair(), await play.pair()
    await play.refresh(first["refresh_token"])
    clock.advance(minutes=1)
    await play.refresh(first["refresh_token"])
    assert await play.status(other["access_token"]) == 204
    assert (await play.refresh(other["refresh_token"])).status_code == 200


async def test_c2_of_many_refreshes_on_two_nodes_one_successor_comes(play: Play) -> None:
    async with open_house(play.house.settings, play.house.node.now) as second:
        nodes = (play.house.program(), second.program())
        for _ in range(5):
            pair = await play.pair()
            before = len((await play.held())["tokens"])
            form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
            form |= {"client_id": play.app.client.client_id, "client_secret": play.app.secret}
            answers = await asyncio.gather(*(nodes[n % 2].post("/oauth/token", data=form) for n in range(12)))
            given = {answer.json()["refresh_token"] for answer in answers if answer.status_code == 200}
            assert len(given) == 1
            assert {refused(answer) for answer in answers if answer.status_code != 200} <= {NO_GRANT}
            assert len((await play.held())["tokens"]) == before + 2
            assert (await play.refresh(given.pop())).status_code == 200


async def test_c3_a_lost_answer_is_given_again_within_ten_seconds(play: Play, clock: HandClock) -> None:
    first = await play.pair()
    second = (await play.refresh(first["refresh_token"])).json()
    before = await play.held()
    clock.advance(seconds=9.999999)
    again = (await play.refresh(first["refresh_token"])).json()
    assert again == second | {"expires_in": second["expires_in"] - 10}
    assert await play.held() == before
    assert await play.status(again["access_token"]) == 204
    clock.advance(seconds=0.000001)
    assert refused(await play.refresh(first["refresh_token"])) == NO_GRANT
    assert await play.status(second["access_token"]) == 401


async def test_c3_once_the_successor_was_refreshed_a_repeat_is_a_theft(play: Play) -> None:
    first = await play.pair()
    second = (await play.refresh(first["refresh_token"])).json()
    third = (await play.refresh(second["refresh_token"])).json()
    assert refused(await play.refresh(first["refresh_token"])) == NO_GRANT
    assert await play.status(third["access_token"]) == 401
    assert refused(await play.refresh(third["refresh_token"])) == NO_GRANT


async def test_c4_a_wider_scope_is_refused_and_uses_nothing_up(play: Play) -> None:
    pair = await play.pair(scope="team:read")
    before = await play.held()
    for scope in ("team:read team:manage", "members:read", "nonsense", "team:read\0"):
        assert refused(await play.refresh(pair["refresh_token"], scope=scope)) == (400, "invalid_scope"), scope
    assert await play.held() == before
    assert (await play.refresh(pair["refresh_token"])).status_code == 200


async def test_c4_a_narrower_token_does_not_narrow_the_next(play: Play) -> None:
    first = await play.pair(scope="team:read team:manage")
    second = (await play.refresh(first["refresh_token"], scope="team:read")).json()
    assert second["scope"] == "team:read"
    assert await may(play, second["access_token"]) == {"team:read"}
    third = (await play.refresh(second["refresh_token"])).json()
    assert await may(play, third["access_token"]) == {"team:read", "team:manage"}


async def test_c4_a_repeat_that_asks_for_another_scope_does_not_get_what_the_first_was_given(play: Play) -> None:
    first = await play.pair()
    second = (await play.refresh(first["refresh_token"])).json()
    before = await play.held()
    narrower = await play.refresh(first["refresh_token"], scope="team:read")
    assert refused(narrower) == (400, "invalid_scope")
    assert await play.held() == before
    assert (await play.refresh(first["refresh_token"])).json() == second


async def may(play: Play, token: str) -> set[str]:
    return set((await play.house.api(token).get("/api/v2/token")).json()["permissions"])


async def test_c5_what_the_user_may_no_longer_do_a_new_token_may_not_either(play: Play) -> None:
    await play.scene.member(play.birch, play.ada, "owner")
    first = await play.pair(team=play.birch, scope="team:read team:manage")
    assert await may(play, first["access_token"]) == {"team:read", "team:manage"}
    await play.scene.member(play.birch, play.ada, "read-only")
    second = (await play.refresh(first["refresh_token"], scope="team:read team:manage")).json()
    assert await may(play, second["access_token"]) == {"team:read"}


async def test_c6_another_client_neither_uses_a_token_nor_ends_its_family(play: Play, clock: HandClock) -> None:
    other = await play.scene.app("Other", play.birch, play.bob, "https://other.example.com/cb")
    first = await play.pair()
    second = (await play.refresh(first["refresh_token"])).json()
    clock.advance(minutes=1)
    before = await play.held()
    for thief in (other, play.public):
        for text in (first["refresh_token"], second["refresh_token"]):
            assert refused(await play.refresh(text, thief)) == NO_GRANT
    assert await play.held() == before
    assert (await play.refresh(second["refresh_token"])).status_code == 200


async def test_c7_a_family_ends_after_two_years_however_much_it_is_used(play: Play, clock: HandClock) -> None:
    pair = await play.pair()
    for _ in range(3):
        clock.advance(days=240)
        pair = (await play.refresh(pair["refresh_token"])).json()
    assert pair["expires_in"] == 10 * 86_400  # neither token outlives its family
    clock.advance(days=10, seconds=-1)
    assert await play.status(pair["access_token"]) == 204
    pair = (await play.refresh(pair["refresh_token"])).json()
    clock.advance(seconds=1)
    assert await play.status(pair["access_token"]) == 401
    assert refused(await play.refresh(pair["refresh_token"])) == NO_GRANT


async def test_c8_an_unused_refresh_token_ends_after_a_year(play: Play, clock: HandClock) -> None:
    first, idle = await play.pair(), await play.pair()
    clock.advance(days=365, seconds=-0.000001)
    assert (await play.refresh(first["refresh_token"])).status_code == 200
    clock.advance(seconds=0.000001)
    before = await play.held()
    assert refused(await play.refresh(idle["refresh_token"])) == NO_GRANT
    assert await play.held() == before


@pytest.mark.parametrize("days", [0.0, -1.0, 1.0])
async def test_c9_a_used_token_stays_dead_over_a_restart_and_a_wrong_clock(
    play: Play, clock: HandClock, days: float
) -> None:
    first = await play.pair()
    second = (await play.refresh(first["refresh_token"])).json()
    clock.advance(seconds=10, days=days)
    async with open_house(play.house.settings, clock.now) as restarted:
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        auth = httpx2.BasicAuth(play.app.client.client_id, play.app.secret)
        assert refused(await restarted.program().post("/oauth/token", data=form, auth=auth)) == NO_GRANT
    assert refused(await play.refresh(second["refresh_token"])) == NO_GRANT


@pytest.mark.parametrize("how", ENDS)
async def test_c10_tokens_are_dead_once_nobody_may_act(play: Play, how: str) -> None:
    pair = await play.pair(team=play.birch)
    elsewhere = await play.pair(team=play.acme)
    await ENDS[how](play)
    assert await play.status(pair["access_token"]) == 401
    assert refused(await play.refresh(pair["refresh_token"])) == NO_GRANT
    if how == "the user is disabled":
        assert await play.status(elsewhere["access_token"]) == 401
        await enable(play)
        assert await play.status(pair["access_token"]) == 204
        assert (await play.refresh(pair["refresh_token"])).status_code == 200
    assert await play.status(elsewhere["access_token"]) == 204


async def test_c10_who_comes_back_finds_what_had_ended_still_ended(play: Play) -> None:
    pair = await play.pair(team=play.birch)
    await ENDS["the user leaves the team"](play)
    await play.scene.member(play.birch, play.ada, "owner")
    assert await play.status(pair["access_token"]) == 401
    assert refused(await play.refresh(pair["refresh_token"])) == NO_GRANT


async def test_c10_a_deleted_client_has_no_tokens_left(play: Play) -> None:
    pair = await play.pair()
    await delete_app(play)
    assert await play.status(pair["access_token"]) == 401
    assert refused(await play.refresh(pair["refresh_token"])) == (401, "invalid_client")
