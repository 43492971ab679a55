"""requests-oauthlib (Python) gets in, however it is told to send its secret, and refreshes by itself."""

from typing import Any

import pytest
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from tests.interop.town import Town
from tests.support.people import Person, RegisteredApp


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


async def let_in(session: OAuth2Session, town: Town, person: Person, secret: dict[str, Any]) -> dict[str, Any]:
    url, _ = session.authorization_url(f"{town.url}/oauth/authorize")
    landed = await person.consent(url)
    token: dict[str, Any] = session.fetch_token(f"{town.url}/oauth/token", authorization_response=landed, **secret)
    return token


def me(session: OAuth2Session, town: Town) -> Any:
    return session.get(f"{town.url}/api/v2/me").json()


def by_basic(app: RegisteredApp) -> dict[str, Any]:
    return {"auth": HTTPBasicAuth(app.client_id, app.secret)}


def by_basic_and_name(app: RegisteredApp) -> dict[str, Any]:
    return {**by_basic(app), "include_client_id": True}


def in_form(app: RegisteredApp) -> dict[str, Any]:
    return {"client_secret": app.secret, "include_client_id": True}


@pytest.mark.parametrize("secret", [by_basic, by_basic_and_name, in_form], ids=lambda way: way.__name__)
@pytest.mark.parametrize("pkce", ["S256", None], ids=["with PKCE", "without PKCE"])
async def test_an_app_with_a_secret_gets_in_and_refreshes(town: Town, ada: Person, secret: Any, pkce: str) -> None:
    app = await ada.register(f"requests-oauthlib {secret.__name__} {pkce}")
    with OAuth2Session(app.client_id, redirect_uri=app.redirect_uri, pkce=pkce) as session:
        first = dict(await let_in(session, town, ada, secret(app)))
        assert me(session, town)["email"] == "ada@example.com"
        by_form = {"client_id": app.client_id, "client_secret": app.secret}
        session.refresh_token(f"{town.url}/oauth/token", **(by_form if secret is in_form else by_basic(app)))
        assert me(session, town)["email"] == "ada@example.com"
        session.token = first
        assert me(session, town) == {"error": "Unauthenticated."}


@pytest.mark.parametrize("secret", [{"include_client_id": True}, {}], ids=["by name", "by Basic without a secret"])
async def test_an_app_without_a_secret_gets_in(town: Town, ada: Person, secret: dict[str, Any]) -> None:
    app = await ada.register(f"requests-oauthlib public {secret}", kind="public")
    with OAuth2Session(app.client_id, redirect_uri=app.redirect_uri, pkce="S256") as session:
        await let_in(session, town, ada, secret)
        assert me(session, town)["email"] == "ada@example.com"


async def test_a_token_that_has_run_out_is_refreshed_on_the_way(town: Town, ada: Person) -> None:
    app = await ada.register("requests-oauthlib by itself")
    kept: list[dict[str, Any]] = []
    with OAuth2Session(
        app.client_id,
        redirect_uri=app.redirect_uri,
        pkce="S256",
        auto_refresh_url=f"{town.url}/oauth/token",
        auto_refresh_kwargs={"client_id": app.client_id, "client_secret": app.secret},
        token_updater=kept.append,
    ) as session:
        first = dict(await let_in(session, town, ada, by_basic(app)))
        session.token = {**first, "expires_in": -1, "expires_at": 1}
        assert me(session, town)["email"] == "ada@example.com"
        assert [token["refresh_token"] == first["refresh_token"] for token in kept] == [False]
