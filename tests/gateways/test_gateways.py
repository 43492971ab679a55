"""The examples, run by the gateways themselves: who passes, as whom, and what the others are told."""

from collections.abc import Iterator
from pathlib import Path
from posixpath import normpath
from typing import Final
from urllib.parse import unquote

import httpx2
import pytest

from tests.gateways.front import EXAMPLES, GATEWAYS, PATIENCE_S, Front, fronted, running_gateway
from tests.gateways.upstream import IDENTITY, running_upstream
from tests.support.databases import copy_sqlite
from tests.support.processes import free_port, server_process

# Every way to write them that some server behind would take for the real ones.
FORGED = {
    **{f"X-Auth-{name}": "forged" for name in IDENTITY},
    "X_Auth_User": "forged",
    "X_Auth_Role": "forged",
}
MIXED = {"X-Auth_Team": "forged", "X_Auth-Role": "forged"}
# An hour: while a slow machine makes them, next to nothing is regained.
LIMIT: Final = 60


@pytest.fixture(scope="session", params=list(GATEWAYS))
def front(
    request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """Run Keybearer, an API that echoes, and the gateway before them as its example says."""
    folder = tmp_path_factory.mktemp(request.param)
    server = server_process(
        folder,
        copy_sqlite(migrated_sqlite, folder / "keybearer.db"),
        {"KEYBEARER_RATE_LIMIT": f"{LIMIT}/hour", "KEYBEARER_TRUSTED_PROXIES": "127.0.0.1"},
    )
    with running_upstream() as upstream, fronted(request.param, server, upstream, folder) as front:
        yield front


def test_a_good_token_passes_and_the_api_learns_whose_it_is(front: Front) -> None:
    answer = front.get("/invoices?limit=5", front.tokens["ada"])
    assert (answer.status_code, answer.json()["path"]) == (200, "/invoices?limit=5")
    told = {name: value for name, value in answer.json()["headers"].items() if name.startswith("x-auth-") and value}
    assert sorted(told) == sorted({f"x-auth-{name}" for name in IDENTITY} - {"x-auth-client"})
    assert (told["x-auth-user-email"], told["x-auth-role"]) == ("ada@example.com", "owner")
    assert "team:manage" in told["x-auth-permissions"].split(" ")


def test_the_body_of_a_request_that_passes_arrives(front: Front) -> None:
    answer = front.ask("POST", "/invoices", front.tokens["ada"], content=b"amount=7")
    assert (answer.status_code, answer.json()["method"], answer.json()["body"]) == (200, "POST", "amount=7")


def test_a_body_that_only_the_api_gets_does_not_spoil_the_next_question(front: Front) -> None:
    """Unless told not to, nginx says the length of a body that it keeps back: the next question was taken for it."""
    for _ in range(4):
        assert front.ask("POST", "/invoices", front.tokens["ada"], content=b"amount=7").status_code == 200
        assert front.get("/invoices", front.tokens["ada"]).status_code == 200


def test_what_is_called_through_it_is_recorded_as_the_callers(front: Front) -> None:
    elsewhere = httpx2.HTTPTransport(local_address="127.0.0.2")
    bearer = {"authorization": f"Bearer {front.tokens['ida']}", "user-agent": "ledgerbot/3"}
    with httpx2.Client(transport=elsewhere, base_url=front.url, headers=bearer, timeout=PATIENCE_S) as program:
        assert program.post("/invoices", content=b"amount=7").status_code == 200
    record = front.recorded("ida", agent="ledgerbot/3")
    assert (record["method"], record["outcome"], record["address"]) == ("POST", "done", "127.0.0.2")


def test_the_gateways_key_is_not_told_to_the_api(front: Front) -> None:
    assert "_rsk_" not in front.get("/invoices", front.tokens["ada"]).text


@pytest.mark.parametrize("whose", ["nobody", "of the other environment", "malformed"])
def test_a_token_that_is_not_accepted_is_answered_401(front: Front, whose: str) -> None:
    token = {"nobody": None, "of the other environment": front.tokens["live"], "malformed": "x"}[whose]
    answer = front.get("/invoices", token)
    assert (answer.status_code, answer.json()) == (401, {"error": "Unauthenticated."})
    error = ', error="invalid_token", error_description="The token is not accepted."' if token else ""
    assert answer.headers.get_list("www-authenticate") == [f'Bearer realm="api"{error}']


def test_a_demanded_permission_is_needed(front: Front) -> None:
    assert front.get("/team/plan", front.tokens["ada"]).status_code == 200
    refused = front.get("/team/plan", front.tokens["cleo"])
    assert (refused.status_code, refused.json()) == (403, {"message": "This action is unauthorized."})
    narrow = front.get("/team/plan", front.tokens["narrow"])
    assert narrow.status_code == 403
    assert 'error="insufficient_scope"' in narrow.headers["www-authenticate"]


@pytest.mark.parametrize("name", ["X-Keybearer-Permission", "X-Keybearer-Key", "Authorization", "X-Auth-Role"])
def test_no_caller_takes_away_what_the_gateway_asks_with(front: Front, name: str) -> None:
    """Proxies drop the headers that Connection names (RFC 9110 §7.6.1), some of them their own as well."""
    refused = front.get("/team/plan", front.tokens["cleo"], {"Connection": f"keep-alive, {name}", **FORGED})
    assert refused.status_code in ({403} if name == "X-Keybearer-Permission" else {401, 403, 503})
    passing = front.get("/invoices", front.tokens["ada"], {"Connection": f"keep-alive, {name}", **FORGED})
    assert "forged" not in passing.text


def test_no_caller_changes_what_is_demanded(front: Front) -> None:
    own = {"X-Keybearer-Permission": "team:read", "X-Keybearer-Key": "kb_rsk_x"}
    assert front.get("/team/plan", front.tokens["cleo"], own).status_code == 403
    assert front.get("/invoices", front.tokens["cleo"], own).status_code == 200


def test_forged_identity_headers_are_replaced(front: Front) -> None:
    answer = front.get("/invoices", front.tokens["ada"], {**FORGED, **MIXED})
    assert answer.status_code == 200
    assert "forged" not in answer.text


def test_forged_identity_headers_are_dropped_where_no_token_is_asked_for(front: Front) -> None:
    mixed = {} if front.name == "traefik" else MIXED  # which drops there only what is listed, as its guide says
    answer = front.get("/public/about", None, {**FORGED, **mixed})
    assert answer.status_code == 200
    assert "forged" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/public/../invoices",
        "/public/%2e%2e/invoices",
        "/public/..%2finvoices",
        "/public/%2e%2e%2finvoices",
        "/public//../../invoices",
    ],
)
def test_no_way_of_writing_a_path_leads_around_the_question(front: Front, path: str) -> None:
    status, seen = front.get_raw(path)
    assert status in {200, 301, 307, 308, 400, 401, 404}
    if status == 200:
        assert normpath(unquote(seen)).startswith("/public"), seen


def test_past_the_limit_it_answers_429_and_says_when_to_come_back(front: Front) -> None:
    passed, bearer = 0, {"authorization": f"Bearer {front.tokens['spent']}"}
    with httpx2.Client(base_url=front.url, headers=bearer, timeout=PATIENCE_S) as program:
        while (last := program.get("/invoices")).status_code == 200:
            passed += 1
    assert LIMIT // 2 < passed < 2 * LIMIT  # calls taken in advance and not made in time are lost
    assert (last.status_code, last.headers["retry-after"].isdecimal()) == (429, True)
    assert "The rate limit is used up." in last.json()["message"]


def test_without_keybearer_nobody_passes(front: Front, tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    with running_upstream() as upstream, running_gateway(front.name, nowhere, upstream, "kb_rsk_x", tmp_path) as url:
        assert httpx2.get(f"{url}/public/about", timeout=PATIENCE_S).status_code == 200
        answer = httpx2.get(
            f"{url}/invoices", headers={"authorization": f"Bearer {front.tokens['ada']}"}, timeout=PATIENCE_S
        )
    assert answer.status_code in {500, 502, 503}
    assert "x-auth" not in answer.text


def test_with_a_key_that_is_unknown_nobody_passes(front: Front, tmp_path: Path) -> None:
    place = front.server.url.removeprefix("http://")
    with running_upstream() as upstream, running_gateway(front.name, place, upstream, "kb_rsk_x", tmp_path) as url:
        answer = httpx2.get(
            f"{url}/invoices", headers={"authorization": f"Bearer {front.tokens['ada']}"}, timeout=PATIENCE_S
        )
    assert answer.status_code == 503


def test_the_guide_shows_the_example_that_is_tested() -> None:
    guide = (EXAMPLES.parent / "docs/gateways.md").read_text("utf-8")
    assert f"```nginx\n{(EXAMPLES / 'nginx/nginx.conf').read_text('utf-8')}```" in guide
    for name in GATEWAYS:
        assert f"](../examples/{name}/" in guide
