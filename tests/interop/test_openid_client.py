"""openid-client (npm), the strictest client there is, finds nothing to complain about."""

from typing import Any

import pytest

from tests.interop.town import Drive, Town
from tests.support.people import CALLBACK, Person

BOTH = pytest.mark.parametrize("town", ["sqlite", "postgresql"], indirect=True)
YEAR_S = 31_536_000


def assert_lived_and_died(lived: dict[str, Any]) -> None:
    for pair in (lived["first"], lived["second"]):
        assert (pair["token_type"], pair["expires_in"]) == ("bearer", YEAR_S)
    assert lived["first"]["refresh_token"] != lived["second"]["refresh_token"]
    assert lived["before"]["email"] == lived["after"]["email"] == "ada@example.com"
    assert lived["replaced"]["status"] == 401
    assert lived["revoked"]["status"] == 401
    assert lived["ended"] == {
        "name": "ResponseBodyError",
        "code": "OAUTH_RESPONSE_BODY_ERROR",
        "status": 400,
        "error": "invalid_grant",
    }


@BOTH
@pytest.mark.parametrize("authentication", ["basic", "post"])
async def test_an_app_with_a_secret_gets_in_refreshes_and_leaves(
    town: Town, ada: Person, drive: Drive, authentication: str
) -> None:
    app = await ada.register(f"openid-client {authentication}")
    lived = await drive("openid_client", app, ada, story="liveAndDie", authentication=authentication)
    assert_lived_and_died(lived)
    assert lived["supportsPKCE"] is True
    assert lived["iss"] == lived["metadata"]["issuer"] == town.url


@BOTH
async def test_an_app_without_a_secret_gets_in_at_whatever_port_is_free(ada: Person, drive: Drive, town: Town) -> None:
    registered = await ada.register("openid-client public", "http://127.0.0.1/callback", kind="public")
    assert registered.secret == "", town.url
    app = type(registered)(registered.client_id, "", "http://127.0.0.1:49152/callback")
    assert_lived_and_died(await drive("openid_client", app, ada, story="liveAndDie", authentication="none"))


@pytest.mark.parametrize("authentication", ["basic", "post"])
async def test_it_asks_whether_its_tokens_are_active(ada: Person, drive: Drive, authentication: str) -> None:
    app = await ada.register(f"openid-client asks {authentication}")
    told = await drive("openid_client", app, ada, story="asks", authentication=authentication)
    assert [each["active"] for each in told["before"]] == [True, True]
    assert {each["client_id"] for each in told["before"]} == {app.client_id}
    assert told["after"] == [{"active": False}, {"active": False}]


@BOTH
async def test_a_code_that_comes_back_ends_what_it_gave(ada: Person, drive: Drive, town: Town) -> None:
    app = await ada.register("openid-client replayed")
    told = await drive("openid_client", app, ada, story="replayed", authentication="basic")
    assert told["before"]["object"] == "user", town.url
    assert told["again"]["error"] == "invalid_grant"
    assert told["ended"]["status"] == 401


async def test_a_denial_is_told_with_the_state_and_the_issuer(ada: Person, drive: Drive, town: Town) -> None:
    app = await ada.register("openid-client denied")
    told = await drive("openid_client", app, ada, story="denied", authentication="basic")
    assert told["refused"]["name"] == "AuthorizationResponseError"
    assert told["refused"]["error"] == "access_denied"
    assert told["landed"].startswith(f"{CALLBACK}?"), town.url
    assert "code=" not in told["landed"]


async def test_a_code_is_worth_nothing_without_its_verifier(ada: Person, drive: Drive) -> None:
    app = await ada.register("openid-client verifier")
    told = await drive("openid_client", app, ada, story="wrongVerifier", authentication="post")
    assert (told["refused"]["status"], told["refused"]["error"]) == (400, "invalid_grant")


async def test_a_wrong_secret_is_refused_as_the_rfc_says(ada: Person, drive: Drive) -> None:
    app = await ada.register("openid-client secret")
    wrong = type(app)(app.client_id, app.secret[:-1] + ("a" if app.secret[-1] != "a" else "b"), app.redirect_uri)
    told = await drive("openid_client", wrong, ada, story="wrongVerifier", authentication="post")
    # It reads the challenge of a 401 and leaves the body alone.
    assert (told["refused"]["status"], told["refused"]["code"]) == (401, "OAUTH_WWW_AUTHENTICATE_CHALLENGE")
