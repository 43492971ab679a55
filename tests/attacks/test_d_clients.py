"""Attacks D: the token endpoint, and who says that it is which client."""

import base64
import hmac
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import httpx2
import pytest

from keybearer.server.actions.rotate_client_secret import Rotation, rotate_client_secret
from keybearer.server.activities import Actor
from keybearer.server.store import clients
from tests.support.clock import HandClock
from tests.support.cutting_off import delete_app
from tests.support.oauth import CALLBACK, Play, refused

TOKEN = "/oauth/token"
ENDPOINTS = ("/oauth/token", "/oauth/revoke")
NO_CLIENT = (401, "invalid_client")
BAD_REQUEST = (400, "invalid_request")
ACTOR = Actor("a test", "127.0.0.1")


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def form_of(code: str) -> dict[str, Any]:
    return {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}


async def test_d1_a_secret_in_the_address_is_refused_and_never_logged(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await play.code()
    before = await play.held()
    query = form_of(code) | {"client_id": play.app.client.client_id, "client_secret": play.app.secret}
    for endpoint in ENDPOINTS:
        answer = await play.house.program().post(endpoint, params=query, data=query)
        assert refused(answer) == BAD_REQUEST
    logged = capsys.readouterr().out
    assert play.app.secret not in logged
    assert code not in logged
    assert await play.held() == before


async def test_d2_credentials_in_two_places_are_refused(play: Play) -> None:
    headers = basic(play.app.client.client_id, play.app.secret)
    both = form_of("x") | {"client_secret": play.app.secret}
    two_ids = form_of("x") | {"client_id": play.public.client.client_id}
    for form in (both, two_ids):
        assert refused(await play.house.program().post(TOKEN, data=form, headers=headers)) == BAD_REQUEST
    twice = [("authorization", headers["authorization"])] * 2
    assert refused(await play.house.program().post(TOKEN, data=form_of("x"), headers=twice)) == BAD_REQUEST


async def test_d3_d4_a_client_with_a_secret_must_show_it(play: Play) -> None:
    code = await play.code()
    before = await play.held()
    for secret in (None, "", "null", "undefined", "None", " ", play.app.secret[:-1], play.app.secret + "a", "\0", "é"):
        for endpoint in ENDPOINTS:
            answer = await play.post(endpoint, **form_of(code), token=code, client_secret=secret)
            assert refused(answer) == NO_CLIENT, secret
            assert answer.headers["www-authenticate"].startswith("Basic ")
    huge = await play.post(TOKEN, **form_of(code), client_secret="a" * 10_000_000)
    assert huge.status_code == 413
    assert await play.held() == before


async def test_d3_a_client_without_a_secret_must_not_show_one(play: Play) -> None:
    answer = await play.post(TOKEN, play.public, **form_of("x"), client_secret="guessed")
    assert refused(answer) == NO_CLIENT


async def test_d5_an_app_that_keeps_no_secret_cannot_act_for_itself(play: Play) -> None:
    answer = await play.post(TOKEN, play.public, grant_type="client_credentials")
    assert refused(answer) == (400, "unauthorized_client")


async def test_d6_basic_credentials_are_decoded_once(play: Play) -> None:
    client_id, secret = play.app.client.client_id, play.app.secret
    every_byte = "".join(f"%{byte:02X}" for byte in secret.encode())
    for written in (secret, quote_plus(secret), every_byte):
        answer = await play.house.program().post(TOKEN, data=form_of("x"), headers=basic(quote(client_id), written))
        assert refused(answer) == (400, "invalid_grant"), written
    for written in (quote(every_byte), f"{secret}:", f"{secret}%3A", f"é{secret}", f"+{secret}", f"%FF{secret}"):
        answer = await play.house.program().post(TOKEN, data=form_of("x"), headers=basic(client_id, written))
        assert refused(answer) == NO_CLIENT, written


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic YQ==", "Bearer x", "Basic " + "A" * 9_000, "basic\t:"])
async def test_d6_unreadable_credentials_are_no_credentials(play: Play, header: str) -> None:
    answer = await play.house.program().post(TOKEN, data=form_of("x"), headers={"authorization": header})
    assert refused(answer) == NO_CLIENT
    assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_d7_only_a_form_is_read(play: Play) -> None:
    code = await play.code()
    form = form_of(code) | {"client_id": play.app.client.client_id, "client_secret": play.app.secret}
    program = play.house.program()
    before = await play.held()
    answers = [
        await program.post(TOKEN, json=form),
        await program.post(TOKEN, files={name: (None, value) for name, value in form.items()}),
        await program.post(TOKEN, content=urlencode(form).encode()),
        await program.post(TOKEN, content=b"<x/>", headers={"content-type": "application/xml"}),
    ]
    assert [refused(answer) for answer in answers] == [(415, "invalid_request")] * 4
    for body in (b"code=\xff", b"code=%ff", b"&".join(b"a%d=1" % n for n in range(300))):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        assert refused(await program.post(TOKEN, content=body, headers=headers)) == BAD_REQUEST, body[:20]
    assert await play.held() == before


async def test_d8_only_post_gets_tokens(play: Play) -> None:
    code = await play.code()
    form = form_of(code) | {"client_id": play.app.client.client_id, "client_secret": play.app.secret}
    before = await play.held()
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        for headers in ({}, {"x-http-method-override": "POST"}):
            answer = await play.house.program().request(method, TOKEN, data=form, headers=headers)
            assert answer.status_code == 405, method
            assert "POST" in answer.headers["allow"], method
    assert await play.held() == before


async def test_d9_what_no_app_may_ask_for_is_refused(play: Play) -> None:
    for wanted in ("password", "implicit", "client_credentials", "authorization_code ", "urn:x", "1", "a" * 60_000):
        answer = await play.post(TOKEN, grant_type=wanted, username="ada", password="x")
        assert refused(answer) == (400, "unsupported_grant_type"), wanted[:30]
    bracketed: dict[str, Any] = {"grant_type[]": "authorization_code"}
    answer = await play.post(TOKEN, **bracketed)
    assert refused(answer) == (400, "unsupported_grant_type")
    assert refused(await play.post(TOKEN, grant_type="")) == BAD_REQUEST
    assert (await play.post(TOKEN, grant_type="a" * 1_000_000)).status_code == 413


async def test_d10_an_unknown_client_costs_the_work_of_a_known_one(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-ups and the comparisons are counted; nothing that could be timed is left out for a stranger."""
    work: list[str] = []
    look_up, compare = clients.with_secrets, hmac.compare_digest

    async def counted_look_up(*words: Any) -> Any:
        work.append("look-up")
        return await look_up(*words)

    def counted_compare(left: bytes, right: bytes) -> bool:
        work.append("comparison")
        return compare(left, right)

    monkeypatch.setattr(clients, "with_secrets", counted_look_up)
    monkeypatch.setattr(hmac, "compare_digest", counted_compare)
    for client_id in (play.app.client.client_id, "nobody0", "not an id", "a" * 5_000):
        work.clear()
        assert refused(await play.post(TOKEN, **form_of("x"), client_id=client_id, client_secret="wrong")) == NO_CLIENT
        assert work == ["look-up", "comparison"], client_id[:20]


async def test_d11_a_deleted_client_is_nobody_at_every_door(play: Play) -> None:
    pair, code = await play.pair(), await play.code()
    await delete_app(play)
    before = await play.held()
    assert refused(await play.exchange(code)) == NO_CLIENT
    assert refused(await play.refresh(pair["refresh_token"])) == NO_CLIENT
    assert refused(await play.post("/oauth/revoke", token=pair["refresh_token"])) == NO_CLIENT
    page = await play.ask()
    assert (page.status, page.location) == (400, "")
    assert await play.held() == before


async def test_d12_an_old_secret_works_as_long_as_was_chosen_and_no_longer(play: Play, clock: HandClock) -> None:
    client, node = play.app.client, play.house.node
    rotation = Rotation(play.acme.team_id, "24h")
    new = await node.act(rotate_client_secret, ACTOR, client.client_id, rotation, "kb", node.now())
    clock.advance(days=1, seconds=-0.000001)
    for secret in (play.app.secret, new.secret):
        assert refused(await play.post(TOKEN, **form_of("x"), client_secret=secret)) == (400, "invalid_grant")
    clock.advance(seconds=0.000001)
    assert refused(await play.post(TOKEN, **form_of("x"), client_secret=play.app.secret)) == NO_CLIENT
    assert refused(await play.post(TOKEN, **form_of("x"), client_secret=new.secret)) == (400, "invalid_grant")


async def test_d13_guessing_grows_slow_and_locks_nobody_out(play: Play, clock: HandClock) -> None:
    answers = [await play.post(TOKEN, **form_of("x"), client_secret=f"guess {n}") for n in range(31)]
    assert {refused(answer) for answer in answers[:30]} == {NO_CLIENT}
    assert refused(answers[30]) == (429, "slow_down")
    assert int(answers[30].headers["retry-after"]) > 0
    assert (await play.exchange(await play.code())).status_code == 200
    assert (await play.exchange(await play.code(play.public), play.public)).status_code == 200
    clock.advance(minutes=1)
    assert refused(await play.post(TOKEN, **form_of("x"), client_secret="guess")) == NO_CLIENT


async def test_d13_an_ipv6_network_guesses_no_faster_than_one_address(play: Play) -> None:
    form = {**form_of("x"), "client_id": play.app.client.client_id, "client_secret": "a guess"}
    told = []
    for n in range(31):
        transport = httpx2.ASGITransport(play.house.app, client=(f"2001:db8::{n}", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=play.house.settings.issuer) as guesser:
            told.append(refused(await guesser.post(TOKEN, data=form)))
    assert told == [NO_CLIENT] * 30 + [(429, "slow_down")]


async def test_d14_no_answer_is_kept_and_pages_elsewhere_read_only_what_they_need(play: Play) -> None:
    origin = {"origin": "https://app.example.com"}
    answer = await play.exchange(await play.code())
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    for path in ENDPOINTS:
        preflight = await play.house.program().options(path, headers=origin | {"access-control-request-method": "POST"})
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-methods"] == "POST"
        assert "authorization" not in preflight.headers["access-control-allow-headers"].lower()
    for method in ("GET", "POST", "OPTIONS"):
        for path in ("/oauth/authorize", "/api/v2/me"):
            answer = await play.house.program().request(method, path, headers=origin)
            assert "access-control-allow-origin" not in answer.headers, (method, path)
