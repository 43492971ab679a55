"""I1, I2: introspection tells nobody anything of a token that is not theirs to ask about."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from tests.server.store.trial import execute
from tests.support.cutting_off import ENDS
from tests.support.oauth import Play
from tests.support.verifiers import asking

INTROSPECT = "/oauth/introspect"
INACTIVE = b'{"active":false}'

Ask = Callable[[str], Awaitable[httpx2.Response]]


async def askers(play: Play) -> dict[str, Ask]:
    """Return who may ask: two resource servers and two clients."""
    sandbox, live = await asking(play.house), await asking(play.house, "live", "Live API")
    other = await play.scene.app("Other", play.acme, play.ada, "https://other.example.com/cb")

    def server(program: httpx2.AsyncClient) -> Ask:
        return lambda text: program.post(INTROSPECT, data={"token": text})

    return {
        "sandbox": server(sandbox.program),
        "live": server(live.program),
        "app": lambda text: play.post(INTROSPECT, token=text),
        "other": lambda text: play.post(INTROSPECT, other, token=text),
    }


async def test_i1_whoever_does_not_authenticate_learns_nothing(play: Play) -> None:
    pair = await play.pair()
    server = await asking(play.house)
    spoilt = server.key[:-1] + ("a" if server.key[-1] != "a" else "b")
    program = play.house.program()
    data = {"token": pair["access_token"]}
    public = play.public.client.client_id
    answers = [
        await program.post(INTROSPECT, data=data),
        await program.post(INTROSPECT, data=data, auth=(server.resource_server_id, "x")),
        await program.post(INTROSPECT, data=data, auth=("another", server.key)),
        await program.post(INTROSPECT, data=data, auth=(play.app.client.client_id, server.key)),
        await program.post(INTROSPECT, data=data | {"client_id": play.app.client.client_id}),
        await program.post(INTROSPECT, data=data | {"client_id": public}),
        *[
            await play.house.api(text).post(INTROSPECT, data=data)
            for text in (pair["access_token"], pair["refresh_token"], play.app.secret, spoilt, "x")
        ],
    ]
    await server.revoke_key()
    answers.append(await server.program.post(INTROSPECT, data=data))
    answers.append(await program.post(INTROSPECT, data=data, auth=(server.resource_server_id, server.key)))
    for answer in answers:
        assert answer.status_code == 401
        assert set(answer.json()) == {"error", "error_description"}
        assert answer.json()["error"] == "invalid_client"


async def test_i1_what_is_not_ones_own_is_inactive_and_nothing_else(play: Play) -> None:
    pair = await play.pair()
    personal = await play.scene.personal_token(play.ada, play.acme)
    live = await play.scene.personal_token(play.ada, play.works)
    texts = {"access": pair["access_token"], "refresh": pair["refresh_token"], "personal": personal, "live": live}
    knows = {"sandbox": {"access", "personal"}, "live": {"live"}, "app": {"access", "refresh"}, "other": set[str]()}
    for name, ask in (await askers(play)).items():
        for kind, text in texts.items():
            answer = await ask(text)
            assert answer.status_code == 200
            assert answer.json()["active"] is (kind in knows[name]), (name, kind)
            assert kind in knows[name] or answer.content == INACTIVE


@pytest.mark.parametrize("end", ENDS)
async def test_i2_a_token_that_ended_is_as_inactive_as_one_that_never_was(play: Play, end: str) -> None:
    pair = await play.pair(team=play.birch)
    ask = await askers(play)
    for name, text in (
        ("sandbox", pair["access_token"]),
        ("app", pair["access_token"]),
        ("app", pair["refresh_token"]),
    ):
        assert (await ask[name](text)).json()["active"] is True
    await ENDS[end](play)
    for name in ("sandbox", "app"):
        for text in (pair["access_token"], pair["refresh_token"], play.app.secret):
            assert (await ask[name](text)).content == INACTIVE


async def test_i2_garbage_is_answered_like_everything_else(play: Play) -> None:
    known = await play.scene.personal_token(play.ada, play.acme)
    garbage: list[Any] = [
        known[:-1],
        known + "x",
        known.upper(),
        f" {known}",
        "x",
        "%00",
        "\0",
        "a" * 5_000,
        "'; --",
        "١٢",
    ]
    headers = []
    for ask in (await askers(play)).values():
        for text in garbage:
            answer = await ask(text)
            assert (answer.status_code, answer.content) == (200, INACTIVE), text[:20]
            headers.append({name: value for name, value in answer.headers.items() if name != "x-request-id"})
    assert all(each == headers[0] for each in headers)


async def test_i2_what_raw_sql_ended_is_inactive_at_the_next_question(play: Play) -> None:
    text = await play.scene.personal_token(play.ada, play.acme)
    ask = (await askers(play))["sandbox"]
    assert (await ask(text)).json()["active"] is True
    await execute(play.house.settings.store_url, "UPDATE users SET disabled_at = 5 WHERE name = 'Ada'")
    assert (await ask(text)).content == INACTIVE
