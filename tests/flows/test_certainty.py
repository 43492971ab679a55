"""`Prefer: wait=propagated`: the answer to a revocation comes when no verifier accepts any more what it ended."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from starlette.types import Message

from keybearer.server.verifiers import certainty
from keybearer.wire.feed import Position
from tests.support.api import Stage, set_stage
from tests.support.clock import HandClock
from tests.support.verifiers import asking
from tests.support.waiting import (
    APPLIED,
    BOUND_S,
    PATIENCE_S,
    PREFER,
    TOKEN,
    Town,
    certain,
    open_town,
    revoking,
    still_waits,
    until,
)


@pytest.fixture
async def town(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Town]:
    async with open_town(database_url, tmp_path, clock) as opened:
        yield opened


@pytest.fixture
async def stage(town: Town) -> Stage:
    return await set_stage(await town.node())


async def test_without_verifiers_it_is_certain_at_once(stage: Stage) -> None:
    await certain(await revoking(stage))


async def test_without_the_preference_nobody_waits_and_nothing_is_said_of_it(stage: Stage) -> None:
    await (await asking(stage.house)).sync()
    answer = await (await revoking(stage, {}))
    assert (answer.status_code, APPLIED in answer.headers) == (204, False)


@pytest.mark.parametrize(
    ("value", "is_ours"),
    [
        pytest.param("wait=propagated", True, id="as it is"),
        pytest.param('respond-async, WAIT = "Propagated"; so=what', True, id="among others, quoted, with a parameter"),
        pytest.param("wait=propagated, wait=10", True, id="the first one counts"),
        pytest.param("wait=10, wait=propagated", False, id="the second does not"),
        pytest.param("wait=10", False, id="seconds"),
        pytest.param("wait", False, id="no value"),
        pytest.param("propagated", False, id="another preference"),
        pytest.param('note="a, wait=", return=minimal', False, id="a comma in quotes"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_rfc7240_2_how_the_preference_is_written(stage: Stage, value: str, *, is_ours: bool) -> None:
    answer = await (await revoking(stage, {"prefer": value}))
    assert (answer.status_code, APPLIED in answer.headers) == (204, is_ours)


async def test_it_is_certain_as_soon_as_the_verifier_confirms_and_not_when_it_has_heard(stage: Stage) -> None:
    verifier = await asking(stage.house)
    await verifier.sync()
    await verifier.sync()
    task = await revoking(stage)
    await still_waits(task)
    await verifier.sync()  # hears of it
    await still_waits(task)
    await verifier.sync()  # says so
    await certain(task)


async def test_a_silent_verifier_is_waited_for_until_the_bound_and_no_longer(stage: Stage, town: Town) -> None:
    await (await asking(stage.house)).sync()
    task = await revoking(stage)
    town.boottime.advance(BOUND_S - 0.01)
    await still_waits(task)
    town.boottime.advance(0.01)
    await certain(task)


async def test_who_was_silent_for_longer_than_the_bound_has_no_lease_and_is_not_waited_for(
    stage: Stage, town: Town
) -> None:
    await (await asking(stage.house)).sync()
    town.boottime.advance(BOUND_S + 0.01)
    await certain(await revoking(stage))


async def test_a_verifier_that_only_asks_about_tokens_is_waited_for(stage: Stage, town: Town) -> None:
    """Out of its lease it acts on such an answer for as long as a lease lasts."""
    await (await asking(stage.house)).fetch(await stage.scene.personal_token(stage.ada, stage.acme))
    task = await revoking(stage)
    await still_waits(task)
    town.boottime.advance(BOUND_S)
    await certain(task)


async def test_an_app_waits_at_the_revocation_endpoint_too(stage: Stage) -> None:
    app = await stage.scene.app("Ledger Sync", stage.acme, stage.ada, "https://app.example.com/cb")
    form = {"client_id": app.client.client_id, "client_secret": app.secret, "token": "unknown"}
    answer = await stage.house.program().post("/oauth/revoke", data=form, headers=PREFER)
    assert (answer.status_code, answer.json(), answer.headers[APPLIED]) == (200, {}, "wait=propagated")
    await (await asking(stage.house)).sync()
    form["token"] = await stage.access_text(app, stage.ada, stage.acme)
    task = asyncio.create_task(stage.house.program().post("/oauth/revoke", data=form, headers=PREFER))
    await until(lambda: stage.house.node.certainty.waiting > 0)
    assert (await stage.house.program().post("/oauth/revoke", data=form)).headers.get(APPLIED) is None
    await still_waits(task)
    task.cancel()


async def test_when_too_many_wait_the_next_is_answered_without_certainty(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certainty, "_MOST", 1)
    verifier = await asking(stage.house)
    await verifier.sync()
    first = await revoking(stage)
    calls = await stage.personal(stage.ada, stage.acme)
    answer = await calls.delete(TOKEN, headers=PREFER)
    assert (answer.status_code, APPLIED in answer.headers) == (204, False)
    assert (await calls.get("/api/v2/status")).status_code == 401
    await verifier.sync()
    await verifier.sync()
    await certain(first)


async def test_whoever_goes_away_leaves_their_place(stage: Stage) -> None:
    await (await asking(stage.house)).sync()
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    node, gone = stage.house.node, asyncio.Event()
    heard = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        for message in heard:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        """Nobody listens."""

    call = asyncio.create_task(_run(stage.house.app, text, receive, send))
    await until(lambda: node.certainty.waiting == 1)
    gone.set()
    async with asyncio.timeout(PATIENCE_S):
        await call
    assert node.certainty.waiting == 0


async def _run(
    app: Callable[..., Awaitable[None]],
    text: str,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    headers = [("host", "keybearer.test"), ("authorization", f"Bearer {text}"), *PREFER.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "DELETE",
        "scheme": "https",
        "path": TOKEN,
        "raw_path": TOKEN.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": ("keybearer.test", 443),
    }
    await app(scope, receive, send)


async def test_where_the_position_is_not_known_the_bound_decides(stage: Stage, town: Town) -> None:
    node = stage.house.node
    waiting = asyncio.create_task(node.certainty.wait(certainty.Mark("", None, town.boottime.now())))
    town.boottime.advance(BOUND_S - 0.01)
    await asyncio.sleep(0.3)
    assert not waiting.done()
    town.boottime.advance(0.01)
    async with asyncio.timeout(PATIENCE_S):
        assert await waiting


async def test_of_more_verifiers_than_are_remembered_nothing_is_said(
    stage: Stage, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keybearer.server.verifiers.known._MOST", 2)
    verifier = await asking(stage.house)
    for number in range(3):
        verifier.instance = f"instance-{number}"
        await verifier.sync()
    verifiers, head = stage.house.node.verifiers, Position("e", 7, b"")
    assert verifiers.report(head, BOUND_S).seq == -1
    town.boottime.advance(BOUND_S + 0.01)
    assert verifiers.report(head, BOUND_S).seq == 7
