"""Authlib (Python) gets in, refreshes by itself, revokes, and is told what is wrong."""

from typing import Any

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from tests.interop.town import Town
from tests.support.people import Person, RegisteredApp

ME = "/api/v2/me"


def client_of(town: Town, app: RegisteredApp, method: str, **more: Any) -> OAuth2Client:
    return OAuth2Client(
        client_id=app.client_id,
        client_secret=app.secret or None,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        redirect_uri=app.redirect_uri,
        code_challenge_method="S256",
        token_endpoint=f"{town.url}/oauth/token",
        base_url=town.url,
        **more,
    )


async def let_in(client: OAuth2Client, town: Town, person: Person) -> dict[str, Any]:
    verifier = generate_token(48)
    url, state = client.create_authorization_url(f"{town.url}/oauth/authorize", code_verifier=verifier)
    landed = await person.consent(url)
    token: dict[str, Any] = client.fetch_token(authorization_response=landed, state=state, code_verifier=verifier)
    return token


@pytest.mark.parametrize(
    ("kind", "method"),
    [("confidential", "client_secret_basic"), ("confidential", "client_secret_post"), ("public", "none")],
)
async def test_it_gets_in_refreshes_and_leaves(town: Town, ada: Person, kind: str, method: str) -> None:
    app = await ada.register(f"Authlib {method}", kind=kind)
    with client_of(town, app, method) as client:
        first = dict(await let_in(client, town, ada))
        assert client.get(ME).json()["email"] == "ada@example.com"
        second = client.refresh_token()
        assert client.get(ME).json()["email"] == "ada@example.com"
        old = client.request(
            "GET", ME, withhold_token=True, headers={"authorization": f"Bearer {first['access_token']}"}
        )
        assert old.status_code == 401
        answer = client.revoke_token(f"{town.url}/oauth/revoke", second["refresh_token"], "refresh_token")
        assert answer.status_code == 200
        assert client.get(ME).status_code == 401


async def test_a_token_that_has_run_out_is_refreshed_on_the_way(town: Town, ada: Person) -> None:
    renewed: list[str] = []

    def keep(token: dict[str, Any], refresh_token: str, **_: object) -> None:
        renewed.append(refresh_token)
        assert token["refresh_token"] != refresh_token

    app = await ada.register("Authlib by itself")
    with client_of(town, app, "client_secret_basic", update_token=keep) as client:
        first = await let_in(client, town, ada)
        client.token = {**first, "expires_at": 1}
        assert client.get(ME).json()["email"] == "ada@example.com"
        assert renewed == [first["refresh_token"]]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_it_asks_whether_its_tokens_are_active(town: Town, ada: Person, method: str) -> None:
    app = await ada.register(f"Authlib asks {method}")
    with client_of(town, app, method) as client:
        pair = dict(await let_in(client, town, ada))
        for kind in ("access_token", "refresh_token"):
            told = client.introspect_token(f"{town.url}/oauth/introspect", pair[kind], kind).json()
            assert (told["active"], told["client_id"]) == (True, app.client_id)
            assert told["sub"]
        client.revoke_token(f"{town.url}/oauth/revoke", pair["refresh_token"], "refresh_token")
        for kind in ("access_token", "refresh_token"):
            assert client.introspect_token(f"{town.url}/oauth/introspect", pair[kind], kind).json() == {"active": False}


async def test_a_refusal_is_told_in_its_words(town: Town, ada: Person) -> None:
    app = await ada.register("Authlib refused")
    with client_of(town, app, "client_secret_basic") as client:
        with pytest.raises(OAuthError) as refused:
            client.fetch_token(grant_type="authorization_code", code="nothing")
        assert refused.value.error == "invalid_grant"
        assert refused.value.description
