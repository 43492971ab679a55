"""E: what is presented as a bearer token, and in which ways; run on both databases, nothing may change or leak."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from keybearer.server import secrets
from keybearer.server.http.intake import MAX_HEADER_BYTES
from keybearer.server.store.tables import metadata
from keybearer.wire.token_text import compose
from tests.support.activity import recorded
from tests.support.api import Stage, set_stage
from tests.support.clock import HandClock
from tests.support.house import House
from tests.support.scenes import PASSWORD

ME = "/api/v2/me"
NO_BODY = {"error": "Unauthenticated."}


@dataclass(frozen=True, slots=True)
class Held:
    """A stage and Ada's good token in her sandbox team."""

    stage: Stage
    token: str

    @property
    def house(self) -> House:
        return self.stage.house


@pytest.fixture
async def held(house: House) -> Held:
    stage = await set_stage(house)
    return Held(stage, await stage.scene.personal_token(stage.ada, stage.acme))


async def rows(house: House) -> dict[str, int]:
    """Count every table's rows, but for those that tell of each call: the oracle that nothing changed."""
    database = house.node.database
    counts = {
        table.name: len(await database.many(table.select()))
        for table in metadata.sorted_tables
        if not table.name.startswith(("activity_", "rate_"))
    }
    return counts | {"activity_records": len(await recorded(database))}


@contextmanager
def look_ups(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Count what reaches the database, but for what the node does beside its requests."""
    made: list[str] = []
    beside = asyncio.all_tasks() - {asyncio.current_task()}
    kind = type(house.node.database)
    with monkeypatch.context() as patch:
        for name in ("one", "many", "view", "transact"):
            real = getattr(kind, name)

            def counted(self: Any, *args: Any, _real: Any = real, _name: str = name, **values: Any) -> Any:
                if asyncio.current_task() not in beside:
                    made.append(_name)
                return _real(self, *args, **values)

            patch.setattr(kind, name, counted)
        yield made


def malformed(token: str) -> dict[str, list[tuple[bytes, bytes]]]:
    """List headers that carry no token that could be one, whatever the store holds (E1, E3)."""
    bare = token.encode()
    values = {
        "empty": b"",
        "scheme alone": b"Bearer",
        "scheme and spaces": b"Bearer  ",
        "token alone": bare,
        "another scheme": b"Basic " + bare,
        "Token": b"Token " + bare,
        "tab": b"Bearer\t" + bare,
        "two spaces": b"Bearer  " + bare,
        "trailing space": b"Bearer " + bare + b" x",
        "comma-joined": b"Bearer " + bare + b", Bearer " + bare,
        "two tokens": b"Bearer " + bare + b" " + bare,
        "quoted": b'Bearer "' + bare + b'"',
        "upper-cased": b"Bearer " + bare.upper(),
        "cut short": b"Bearer " + bare[:-1],
        "suffix": b"Bearer " + bare + b"a",
        "prefix of it": b"Bearer " + bare[:16],
        "wildcard %": b"Bearer " + bare[:16] + b"%" * 32,
        "wildcard _": b"Bearer " + bare[:12] + b"_" * 38,
        "wildcard *": b"Bearer *",
        "quote": b"Bearer ' OR '1'='1",
        "NUL": b"Bearer " + bare + b"\x00",
        "percent-encoded": b"Bearer " + bare.replace(b"_", b"%5F"),
        "doubly percent-encoded": b"Bearer " + bare.replace(b"_", b"%255F"),
        "bidi": b"Bearer " + "\u202e".encode() + bare,
        "other digits": b"Bearer " + bare[:-6] + "٣٣٣٣٣٣".encode(),
        "null": b"Bearer null",
        "undefined": b"Bearer undefined",
        "mistyped": b"Bearer " + bare[:13] + (b"b" if bare[13:14] != b"b" else b"c") + bare[14:],
        "other provider": b"Bearer " + compose("other", "pat", "sandbox", "a" * 32).encode(),
    }
    cases = {name: [(b"authorization", value)] for name, value in values.items()}
    cases["two headers"] = [(b"authorization", b"Bearer " + bare)] * 2
    cases["proxy header"] = [(b"proxy-authorization", b"Bearer " + bare), (b"x-authorization", b"Bearer " + bare)]
    return cases


async def test_e1_e3_what_cannot_be_a_token_is_401_without_a_look_up(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = held.house.program()
    before = await rows(held.house)
    with look_ups(held.house, monkeypatch) as made:
        for name, headers in malformed(held.token).items():
            answer = await program.get(ME, headers=headers)
            assert (answer.status_code, answer.json()) == (401, NO_BODY), name
            assert answer.headers["www-authenticate"].startswith('Bearer realm="api"'), name
            assert held.token not in str(answer.headers), name
        assert made == []
        assert (await held.house.api(held.token).get(ME)).status_code == 200
        assert made != []  # the counting works
    assert await rows(held.house) == before


async def test_e1_the_schemes_case_does_not_matter_and_an_endless_header_is_431(held: Held) -> None:
    program = held.house.program()
    for scheme in ("bearer", "BEARER", "bEaReR"):
        assert (await program.get(ME, headers={"authorization": f"{scheme} {held.token}"})).status_code == 200
    endless = "Bearer " + "a" * MAX_HEADER_BYTES
    assert (await program.get(ME, headers={"authorization": endless})).status_code == 431


async def test_e2_a_token_anywhere_else_is_no_token(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    program, token = held.house.program(), held.token
    with look_ups(held.house, monkeypatch) as made:
        answers = [
            await program.get(f"{ME}?access_token={token}"),
            await program.get(f"{ME}?token={token}&authorization=Bearer%20{token}"),
            await program.get(ME, headers={"cookie": f"access_token={token}; token={token}; session={token}"}),
            await program.get(ME, headers={"x-api-key": token, "x-access-token": token, "x-auth-token": token}),
            await program.request("PATCH", ME, data={"access_token": token, "name": "Eve"}),
            await program.request("PATCH", ME, json={"access_token": token, "name": "Eve"}),
        ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(401, NO_BODY)] * len(answers)
    assert made == []
    assert (await held.house.api(token).get(ME)).json()["name"] == "Ada"


async def test_e4_a_token_whose_text_says_the_other_environment_is_another_token(held: Held) -> None:
    body = held.token.replace("_test_", "_live_")[:-6]
    forged = compose("kb", "pat", "live", body.rsplit("_", 1)[1])
    assert (await held.house.api(forged).get(ME)).status_code == 401


async def test_e6_no_other_secret_is_a_bearer_token(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = held.stage
    app = await stage.scene.app("Reader", stage.acme, stage.ada, "https://app.example.com/cb")
    others = [compose("kb", kind, "sandbox", "a" * 32) for kind in ("ort", "rsk", "oac")]
    with look_ups(held.house, monkeypatch) as made:
        for text in (app.secret, *others, app.client.client_id, PASSWORD, "1", str(stage.ada.user_id)):
            assert (await held.house.program().get(ME, headers={"authorization": f"Bearer {text}"})).status_code == 401
    assert made == []


async def test_e8_expired_by_a_millisecond_and_a_clock_that_went_back(held: Held, clock: HandClock) -> None:
    api = held.house.api(held.token)
    clock.advance(days=1, seconds=-0.001)
    assert (await api.get(ME)).status_code == 200
    clock.advance(seconds=0.001)
    assert (await api.get(ME)).status_code == 401
    clock.advance(seconds=0.001)
    assert (await api.get(ME)).status_code == 401


async def test_e12_no_token_mints_another_approves_a_consent_or_changes_a_password(held: Held) -> None:
    api = held.house.api(held.token)
    before = await rows(held.house)
    for body in ({"password": "another long enough password"}, {"password": None}, {"role": "owner"}):
        assert (await api.patch(ME, json=body)).status_code == 422
    for method in ("POST", "PUT", "PATCH"):
        for path in ("/api/v2/token", "/api/v2/tokens", "/api/v2/me/tokens", "/api/v2/teams/1/members"):
            assert (await api.request(method, path, json={"name": "x"})).status_code in {404, 405}
    for form in (
        {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": held.token},
        {"grant_type": "client_credentials"},
        {"grant_type": "refresh_token", "refresh_token": held.token},
        {"grant_type": "authorization_code", "code": held.token},
        {"grant_type": "password", "username": "ada@example.com", "password": PASSWORD},
    ):
        answer = await api.post("/oauth/token", data=form)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), form
    assert await rows(held.house) == before


async def test_e13_a_lowered_role_and_a_removed_member_count_at_the_next_call(held: Held) -> None:
    from keybearer.server.actions.remove_member import remove_member  # noqa: PLC0415
    from keybearer.server.activities import Actor  # noqa: PLC0415

    stage, node = held.stage, held.house.node
    api = held.house.api(held.token)
    assert (await api.patch("/api/v2/team", json={"telephone": "+44 20 7946 0000"})).status_code == 200
    await stage.scene.member(stage.acme, stage.cleo, "owner")
    await stage.scene.member(stage.acme, stage.ada, "read-only")
    assert (await api.patch("/api/v2/team", json={"telephone": None})).status_code == 403
    actor = Actor(secrets.record_id(node.now()), "127.0.0.1")
    await node.act(remove_member, actor, stage.acme.team_id, stage.ada.user_id, frozenset(), node.now())
    assert (await api.get(ME)).status_code == 401
    await stage.scene.member(stage.acme, stage.ada, "owner")
    assert (await api.get(ME)).status_code == 401  # what ended stays ended


SPOOFED = {
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "forwarded": "for=203.0.113.9;host=evil.example",
    "x-real-ip": "203.0.113.9",
    "x-original-url": "/api/v2/team",
    "x-rewrite-url": "/api/v2/team",
    "x-http-method-override": "DELETE",
    "x-user-id": "2",
    "x_user_id": "2",
    "x-auth-user": "2",
    "x-auth-team": "2",
    "x-team-id": "2",
    "host": "evil.example",
}


async def test_e14_no_header_but_authorization_says_who_acts_where(held: Held) -> None:
    api = held.house.api(held.token)
    plain = await api.get("/api/v2/team/members?limit=1")
    for name, value in SPOOFED.items():
        answer = await api.get("/api/v2/team/members?limit=1", headers={name: value})
        assert (answer.status_code, answer.content) == (200, plain.content), name
        assert "evil.example" not in str(answer.headers), name
    assert plain.json()["links"]["next"].startswith(held.house.settings.issuer)


async def test_e7_a_client_alone_is_no_user(held: Held) -> None:
    stage = held.stage
    app = await stage.scene.app("Reader", stage.acme, stage.ada, "https://app.example.com/cb")
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(held.house.app),
        base_url=held.house.settings.issuer,
        auth=(app.client.client_id, app.secret),
    ) as client:
        assert (await client.get(ME)).status_code == 401
        answer = await client.post("/oauth/token", data={"grant_type": "client_credentials"})
        assert answer.json()["error"] == "unsupported_grant_type"
