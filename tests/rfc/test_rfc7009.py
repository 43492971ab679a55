"""RFC 7009, Token Revocation."""

from tests.support.oauth import Play, refused

REVOKE = "/oauth/revoke"


async def test_2_1_a_refresh_token_takes_its_access_tokens_along(play: Play) -> None:
    first = await play.pair()
    second = (await play.refresh(first["refresh_token"])).json()
    answer = await play.post(REVOKE, token=second["refresh_token"])
    assert (answer.status_code, answer.json()) == (200, {})
    assert await play.status(second["access_token"]) == 401
    assert refused(await play.refresh(second["refresh_token"])) == (400, "invalid_grant")


async def test_2_1_an_access_token_goes_alone(play: Play) -> None:
    pair = await play.pair()
    assert (await play.post(REVOKE, token=pair["access_token"])).status_code == 200
    assert await play.status(pair["access_token"]) == 401
    assert (await play.refresh(pair["refresh_token"])).status_code == 200


async def test_2_1_the_client_authenticates_and_only_its_own_tokens_are_revoked(play: Play) -> None:
    pair = await play.pair()
    other = await play.scene.app("Other", play.acme, play.ada, "https://other.example.com/cb")
    before = await play.held()
    for text in (pair["access_token"], pair["refresh_token"]):
        assert refused(await play.post(REVOKE, token=text, client_secret="wrong")) == (401, "invalid_client")
        for stranger in (other, play.public):
            assert refused(await play.post(REVOKE, stranger, token=text)) == (400, "invalid_grant")
    assert await play.held() == before


async def test_2_1_a_client_without_a_secret_revokes_its_own(play: Play) -> None:
    pair = await play.pair(play.public)
    assert (await play.post(REVOKE, play.public, token=pair["refresh_token"])).status_code == 200
    assert await play.status(pair["access_token"]) == 401


async def test_2_1_a_wrong_or_unknown_hint_does_not_matter(play: Play) -> None:
    for hint in ("access_token", "nonsense", ""):
        pair = await play.pair()
        answer = await play.post(REVOKE, token=pair["refresh_token"], token_type_hint=hint)
        assert answer.status_code == 200
        assert await play.status(pair["access_token"]) == 401


async def test_2_2_an_unknown_or_dead_token_is_answered_200(play: Play) -> None:
    pair = await play.pair()
    await play.post(REVOKE, token=pair["refresh_token"])
    before = await play.held()
    spoilt = pair["access_token"][:-1] + ("a" if pair["access_token"][-1] != "a" else "b")
    for text in ("x", spoilt, "a" * 5_000, "\0", pair["refresh_token"]):
        answer = await play.post(REVOKE, token=text)
        assert (answer.status_code, answer.json()) == (200, {}), text[:20]
    assert await play.held() == before


async def test_2_2_1_what_is_no_token_of_oauth_is_not_revoked_here(play: Play) -> None:
    personal = await play.scene.personal_token(play.ada, play.acme)
    assert refused(await play.post(REVOKE, token=personal)) == (400, "unsupported_token_type")
    assert await play.status(personal) == 204
    assert refused(await play.post(REVOKE)) == (400, "invalid_request")
    assert (await play.house.program().get(REVOKE, params={"token": personal})).status_code == 405
