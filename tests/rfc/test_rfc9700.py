"""RFC 9700, Best Current Practice for OAuth 2.0 Security."""

from tests.support.clock import HandClock
from tests.support.oauth import CALLBACK, PROVEN, VERIFIER, Play, brought, refused


async def test_2_1_redirect_uris_are_compared_exactly(play: Play) -> None:
    for uri in (f"{CALLBACK}/", f"{CALLBACK}?", CALLBACK.upper(), CALLBACK.replace("https", "http")):
        page = await play.ask(redirect_uri=uri)
        assert (page.status, page.location) == (400, ""), uri


async def test_2_1_1_public_clients_must_use_pkce_and_the_metadata_says_how(play: Play) -> None:
    told = brought(await play.ask(play.public, code_challenge=None, code_challenge_method=None))
    assert told["error"] == "invalid_request"
    metadata = (await play.house.program().get("/.well-known/oauth-authorization-server")).json()
    assert metadata["code_challenge_methods_supported"] == ["S256"]


async def test_2_1_1_a_challenge_that_was_sent_is_enforced_whoever_the_client_is(play: Play) -> None:
    code = await play.code(**PROVEN)
    assert refused(await play.exchange(code)) == (400, "invalid_grant")


async def test_2_1_1_a_downgrade_is_noticed(play: Play) -> None:
    """A verifier for a code that was asked for without a challenge (§4.8.2)."""
    assert refused(await play.exchange(await play.code(), code_verifier=VERIFIER)) == (400, "invalid_grant")


async def test_2_2_2_refresh_tokens_of_public_clients_rotate(play: Play, clock: HandClock) -> None:
    first = await play.pair(play.public)
    second = (await play.refresh(first["refresh_token"], play.public)).json()
    assert second["refresh_token"] != first["refresh_token"]
    clock.advance(seconds=10)
    assert refused(await play.refresh(first["refresh_token"], play.public)) == (400, "invalid_grant")
    assert refused(await play.refresh(second["refresh_token"], play.public)) == (400, "invalid_grant")


async def test_2_4_passwords_are_not_traded_for_tokens(play: Play) -> None:
    answer = await play.post("/oauth/token", grant_type="password", username="ada@example.com", password="x")
    assert refused(answer) == (400, "unsupported_grant_type")


async def test_4_11_2_nobody_is_sent_on_by_an_error_before_they_have_signed_in(play: Play) -> None:
    page = await play.house.browser().get(play.link(play.app, scope="nonsense"))
    assert page.url.startswith("https://keybearer.test/login?")


async def test_4_12_the_browser_is_sent_on_by_303(play: Play) -> None:
    await play.ask()
    assert (await play.decide("allow")).status == 303


async def test_4_16_the_page_cannot_be_framed(play: Play) -> None:
    page = await play.ask()
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
