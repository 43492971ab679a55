"""What gateways are told: whether a request may pass to the API behind, and as whom."""

from typing import Any

import httpx2
import pytest

from keybearer.server.feed.reader import FeedReader
from keybearer.server.http.forward_auth import identity_headers
from keybearer.server.store import users
from keybearer.server.store.faults import StoreUnavailable
from keybearer.wire.packing import packed_place, packed_token
from keybearer.wire.principal import Principal
from tests.support.api import Stage
from tests.support.house import House
from tests.support.verifiers import Asking, asking

IDENTITY = ("user", "user-email", "team", "role", "permissions", "client", "environment")


@pytest.fixture
async def gateway(house: House) -> Asking:
    """Stand in front of an API of the sandbox, in which Acme is."""
    return await asking(house)


async def knock(
    api: httpx2.AsyncClient, key: str | None, demand: str | None = None, path: str = "", method: str = "GET"
) -> httpx2.Response:
    headers = {"x-keybearer-key": key, "x-keybearer-permission": demand}
    given = {name: value for name, value in headers.items() if value is not None}
    return await api.request(method, f"/forward-auth{path}", headers=given)


def identity(answer: httpx2.Response) -> dict[str, str]:
    return {name.removeprefix("x-auth-"): value for name, value in answer.headers.items() if name.startswith("x-auth-")}


async def test_who_passes_is_told_in_headers(stage: Stage, gateway: Asking) -> None:
    answer = await knock(await stage.personal(stage.cleo, stage.acme), gateway.key)
    assert (answer.status_code, answer.content) == (200, b"")
    assert identity(answer) == {
        "user": str(stage.cleo.user_id),
        "user-email": "cleo@example.com",
        "team": str(stage.acme.team_id),
        "role": "read-only",
        "permissions": "apps:read clients:read members:read team:read",
        "client": "",
        "environment": "sandbox",
    }


async def test_the_app_that_holds_the_token_is_told(stage: Stage, gateway: Asking) -> None:
    app = await stage.scene.app("Ledger", stage.acme, stage.ada, "https://app.example.com/cb")
    answer = await knock(await stage.app_access(app, stage.ada, stage.acme, "team:read"), gateway.key)
    told = identity(answer)
    assert (told["client"], told["permissions"]) == (app.client.client_id, "team:read")


async def test_method_path_and_query_of_the_caller_do_not_count(stage: Stage, gateway: Asking) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
        for path in ("", "/", "/invoices/7?permission=none&limit=5", "/forward-auth"):
            asked = await knock(api, gateway.key, path=path, method=method)
            assert (asked.status_code, identity(asked)["role"]) == (200, "owner"), (method, path)
            nobody = await knock(stage.house.program(), gateway.key, path=path, method=method)
            assert nobody.status_code == 401, (method, path)


async def test_without_a_token_it_answers_as_the_api_does(stage: Stage, gateway: Asking) -> None:
    answer = await knock(stage.house.program(), gateway.key)
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthenticated."})
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'
    assert identity(answer) == {}


async def test_a_token_of_the_other_environment_does_not_pass(stage: Stage, gateway: Asking) -> None:
    live = await stage.personal(stage.ada, stage.works)
    answer = await knock(live, gateway.key)
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthenticated."})
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    there = await asking(stage.house, "live")
    assert identity(await knock(live, there.key))["environment"] == "live"


async def test_two_tokens_are_none(stage: Stage, gateway: Asking) -> None:
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    program = stage.house.program()
    twice = [("authorization", f"Bearer {text}"), ("authorization", f"Bearer {text}")]
    answer = await program.get("/forward-auth", headers=[*twice, ("x-keybearer-key", gateway.key)])
    assert answer.status_code == 401


async def test_what_is_revoked_does_not_pass_at_the_next_request(stage: Stage, gateway: Asking) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    assert (await knock(api, gateway.key)).status_code == 200
    now = stage.house.node.now()
    await stage.house.node.act(users.set_disabled, stage.ada.user_id, now, now)
    assert (await knock(api, gateway.key)).status_code == 401


@pytest.mark.parametrize(
    ("scope", "demand", "status", "challenge"),
    [
        pytest.param(None, "team:read", 200, None, id="the role allows it"),
        pytest.param(None, "team:read members:read", 200, None, id="the role allows both"),
        pytest.param(None, "team:manage", 403, None, id="the role does not"),
        pytest.param(None, "team:read team:manage", 403, None, id="the role allows one of two"),
        pytest.param("team:read", "team:read", 200, None, id="the narrow token has it"),
        pytest.param(
            "team:read",
            "members:read",
            403,
            'Bearer realm="api", error="insufficient_scope", scope="members:read"',
            id="the token is too narrow",
        ),
    ],
)
async def test_a_demanded_permission_is_needed(
    stage: Stage, gateway: Asking, scope: str | None, demand: str, status: int, challenge: str | None
) -> None:
    answer = await knock(await stage.personal(stage.cleo, stage.acme, scope), gateway.key, demand)
    assert (answer.status_code, answer.headers.get("www-authenticate")) == (status, challenge)
    assert bool(identity(answer)) is (status == 200)


async def test_requests_count_against_the_same_limit_as_calls_of_the_api(stage: Stage, gateway: Asking) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    assert (await knock(api, gateway.key)).headers["x-ratelimit-remaining"] == "199"
    assert (await api.get("/api/v2/status")).headers["x-ratelimit-remaining"] == "198"
    await stage.use_up(stage.ada, stage.acme, 198)
    over = await knock(api, gateway.key)
    assert (over.status_code, over.headers["retry-after"]) == (429, "1")
    assert (over.headers["x-ratelimit-limit"], over.headers["x-ratelimit-remaining"]) == ("200", "0")
    assert "x-ratelimit-reset" in over.headers
    assert identity(over) == {}


@pytest.mark.parametrize("flaw", ["no key", "two keys", "not a key", "revoked key", "unknown permission"])
async def test_a_gateway_that_is_set_up_wrong_lets_nobody_pass_and_blames_no_token(
    stage: Stage, gateway: Asking, flaw: str
) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    if flaw == "revoked key":
        assert (await knock(api, gateway.key)).status_code == 200
        await gateway.revoke_key()
    keys: dict[str, list[str]] = {"no key": [], "two keys": [gateway.key] * 2, "not a key": ["kb_rsk_test_x"]}
    headers = [("x-keybearer-key", key) for key in keys.get(flaw, [gateway.key])]
    if flaw == "unknown permission":
        headers.append(("x-keybearer-permission", "team:raed"))
    answer = await api.get("/forward-auth", headers=headers)
    assert answer.status_code == 503
    assert answer.json()["message"].startswith("The gateway cannot ask who calls.")
    assert identity(answer) == {}


async def test_a_store_that_is_away_lets_nobody_pass(
    stage: Stage, gateway: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = await stage.personal(stage.ada, stage.acme)
    assert (await knock(api, gateway.key)).status_code == 200

    async def away(_: Any) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(FeedReader, "fresh", away)
    answer = await knock(api, gateway.key)
    assert (answer.status_code, answer.headers["retry-after"], identity(answer)) == (503, "2", {})


@pytest.mark.parametrize(
    ("email", "told"),
    [
        pytest.param("ada+api@example.com", b"ada+api@example.com", id="plain"),
        pytest.param("jürgen@example.com", b"j%C3%BCrgen@example.com", id="not ASCII"),
        pytest.param("a%0d@example.com", b"a%250d@example.com", id="percent sign"),
        pytest.param("a\r\nx-auth-role: owner@b", b"a%0D%0Ax-auth-role: owner@b", id="line break"),
    ],
)
def test_no_name_breaks_out_of_its_header(email: str, told: bytes) -> None:
    place = packed_place(8, 9, "live", "owner", ("Ada", email))
    token = packed_token("pat", 0, is_narrowed=False, ids=("t", "g", "abcd"))
    principal = Principal(7, place, frozenset(), None, token)
    headers = identity_headers(principal)
    assert dict(headers)[b"x-auth-user-email"] == told
    assert [name.decode().removeprefix("x-auth-") for name, _ in headers] == list(IDENTITY)
