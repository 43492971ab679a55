"""RFC 8252, OAuth 2.0 for Native Apps."""

import pytest

from tests.support.oauth import PROVEN, Play, brought

SCHEME = "com.example.pocket:/cb"
LOOPBACK = "http://127.0.0.1/cb"


async def test_6_native_apps_must_use_pkce(play: Play) -> None:
    app = await play.scene.app("Native", play.acme, play.ada, SCHEME, kind="public")
    page = await play.ask(app, redirect_uri=SCHEME, code_challenge=None, code_challenge_method=None)
    assert page.location.startswith(f"{SCHEME}?error=invalid_request&")


async def test_7_1_an_app_may_have_a_scheme_of_a_domain_of_its_own(play: Play) -> None:
    app = await play.scene.app("Native", play.acme, play.ada, SCHEME, kind="public")
    await play.ask(app, redirect_uri=SCHEME)
    page = await play.decide("allow")
    assert page.location.startswith(f"{SCHEME}?code=")


@pytest.mark.parametrize("kind", ["public", "confidential"])
@pytest.mark.parametrize(
    ("address", "other"), [(LOOPBACK, "http://127.0.0.1:51004/cb"), ("http://[::1]/cb", "http://[::1]:7/cb")]
)
async def test_7_3_any_port_of_a_loopback_address_will_do(play: Play, kind: str, address: str, other: str) -> None:
    app = await play.scene.app("Desktop", play.acme, play.ada, address, kind=kind)
    assert (await play.ask(app, redirect_uri=other, **PROVEN)).status == 200
    page = await play.decide("allow")
    assert page.location.startswith(f"{other}?code=")


async def test_8_4_an_app_with_a_secret_has_the_port_only_that_it_registered(play: Play) -> None:
    app = await play.scene.app("Server", play.acme, play.ada, "http://127.0.0.1:8080/cb")
    page = await play.ask(app, redirect_uri="http://127.0.0.1:51004/cb", **PROVEN)
    assert (page.status, page.location) == (400, "")


async def test_8_6_a_public_client_is_never_let_in_without_being_asked_about(play: Play) -> None:
    await play.pair(play.public)
    (await play.ask(play.public)).button("decision=allow")
    assert brought(await play.ask(play.public, prompt="none"))["error"] == "consent_required"
