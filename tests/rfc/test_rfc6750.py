"""RFC 6750, Bearer Token Usage."""

import pytest

from tests.support.oauth import Play

ME = "/api/v2/me"


async def test_2_1_the_header_is_taken_and_its_scheme_in_any_case(play: Play) -> None:
    token = (await play.pair())["access_token"]
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = await play.house.program().get(ME, headers={"authorization": f"{scheme} {token}"})
        assert answer.status_code == 200, scheme


async def test_2_2_2_3_neither_body_nor_address_carries_a_token(play: Play) -> None:
    token = (await play.pair())["access_token"]
    program = play.house.program()
    assert (await program.get(ME, params={"access_token": token})).status_code == 401
    assert (await program.request("PATCH", ME, data={"access_token": token})).status_code == 401


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Token x", "Bearer a b"])
async def test_3_whoever_brings_no_good_token_is_challenged(play: Play, header: str | None) -> None:
    answer = await play.house.program().get(ME, headers={} if header is None else {"authorization": header})
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthenticated."})
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_3_1_no_error_is_named_to_whoever_brought_nothing_and_invalid_token_to_whoever_did(play: Play) -> None:
    assert "error" not in (await play.house.program().get(ME)).headers["www-authenticate"]
    pair = await play.pair()
    await play.refresh(pair["refresh_token"])
    answer = await play.house.api(pair["access_token"]).get(ME)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_5_3_what_tokens_show_is_not_kept_by_caches(play: Play) -> None:
    answer = await play.house.api((await play.pair())["access_token"]).get(ME)
    assert "no-store" in answer.headers["cache-control"]
