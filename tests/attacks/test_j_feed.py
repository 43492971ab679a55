"""J: the feed tells nothing to strangers, holds no secret, and tells what raw SQL did."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from keybearer.server import secrets
from keybearer.server.reads.resource_servers import authenticate
from keybearer.server.records import ResourceServer
from keybearer.server.store.database import Database
from keybearer.server.store.tables import feed
from keybearer.verify.lease import Heard
from keybearer.wire.messages import sync_answer_from_json
from tests.server.store.trial import execute
from tests.support.oauth import Play
from tests.support.verifiers import Asking, asking

SYNC, FETCH = "/verifier/sync", "/verifier/fetch"


@pytest.fixture
async def verifier(play: Play) -> Asking:
    made = await asking(play.house)
    assert await made.sync() is Heard.RENEWED
    return made


def fetching(text: str) -> dict[str, Any]:
    return {"nonce": "n", "instance": "instance-1", "digest": secrets.digest(text).hex()}


@pytest.mark.parametrize("path", [SYNC, FETCH])
async def test_j1_whoever_has_no_key_in_force_is_told_nothing(verifier: Asking, play: Play, path: str) -> None:
    personal = await play.scene.personal_token(play.ada, play.acme)
    pair = await play.pair()
    body = verifier.question() if path == SYNC else fetching(personal)
    spoilt = verifier.key[:-1] + ("a" if verifier.key[-1] != "a" else "b")
    strangers = ["", "x", spoilt, personal, pair["access_token"], pair["refresh_token"], play.app.secret]
    answers = [await play.house.api(text).post(path, json=body) for text in strangers]
    answers.append(await play.house.program().post(path, json=body))
    answers.append(await play.house.program().post(path, content=b"{"))  # not even whether it can be read
    answers.append(await play.house.program().post(f"{path}?access_token={verifier.key}", json=body))
    await verifier.revoke_key()
    answers.append(await verifier.post(path, body))
    for answer in answers:
        assert answer.status_code == 401
        assert set(answer.json()) == {"error", "message"}
        assert answer.json()["error"] == "unauthenticated"
        assert answer.headers["www-authenticate"] == 'Bearer realm="verifier"'
        assert answer.headers["cache-control"] == "no-store"


async def test_j1_a_key_that_is_revoked_while_its_question_waits_hears_nothing_of_it(verifier: Asking) -> None:
    waiting = asyncio.create_task(verifier.post(SYNC, verifier.question(5)))
    await asyncio.sleep(0.2)
    await verifier.revoke_key()
    assert (await waiting).status_code == 401


async def test_j1_a_key_that_is_revoked_while_it_is_looked_up_is_not_remembered(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = await asking(play.house)

    async def slow(database: Database, text: str) -> ResourceServer:
        owner = await authenticate(database, text)
        await verifier.revoke_key()
        await play.house.node.feed.fresh()  # the node has heard of it, and forgets all keys
        return owner

    with monkeypatch.context() as patch:
        patch.setattr("keybearer.server.verifiers.keys.authenticate", slow)
        await verifier.post(FETCH, fetching("x"))
    assert (await verifier.post(FETCH, fetching("x"))).status_code == 401


async def test_j1_a_key_that_raw_sql_revoked_opens_nothing(verifier: Asking, play: Play) -> None:
    await verifier.sync()
    await execute(play.house.settings.store_url, "UPDATE resource_servers SET revoked_at = 5")
    await play.house.node.feed.fresh()
    assert (await verifier.post(SYNC, verifier.question())).status_code == 401
    assert (await verifier.post(FETCH, fetching("x"))).status_code == 401


async def test_j1_a_key_of_another_environment_fetches_nothing(play: Play) -> None:
    live = await asking(play.house, "live")
    text = await play.scene.personal_token(play.ada, play.acme)
    assert await live.fetch(text) == {"nonce": "a nonce", "fetched": None, "denied": "wrong_environment"}


async def test_j2_a_recorded_answer_renews_nothing(verifier: Asking, play: Play) -> None:
    recorded = (await verifier.post(SYNC, verifier.question())).json()
    assert verifier.lease.hear(sync_answer_from_json(recorded)) is Heard.RENEWED
    for before in (recorded, recorded | {"head": recorded["head"] | {"seq": 10**6}}):
        verifier.question()
        assert verifier.lease.hear(sync_answer_from_json(before)) is Heard.NOTHING
    answer = await verifier.post(SYNC, verifier.question())
    assert answer.headers["cache-control"] == "no-store"
    assert (await play.house.program().get(SYNC)).status_code == 405


async def test_j4_the_feed_holds_no_secret_and_nothing_of_a_token_but_its_ids(verifier: Asking, play: Play) -> None:
    personal = await play.scene.personal_token(play.ada, play.acme)
    pair = await play.pair()
    refreshed = (await play.refresh(pair["refresh_token"])).json()
    await play.post("/oauth/revoke", token=refreshed["refresh_token"])
    texts = [personal, *(each[kind] for each in (pair, refreshed) for kind in ("access_token", "refresh_token"))]
    texts += [play.app.secret, verifier.key, play.ada.email, play.ada.name]
    answer = await verifier.post(SYNC, verifier.question())
    assert len(answer.json()["events"]) > 1
    said = answer.text + str(
        [(row["kind"], row["subject"]) for row in await play.house.node.database.many(select(feed))]
    )
    for text in texts:
        assert text not in said
        assert secrets.digest(text).hex() not in said


async def test_j5_a_thousand_verifiers_that_come_back_at_once_cost_a_few_looks_at_the_store(
    verifier: Asking, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    database = type(play.house.node.database)
    one, many = database.one, database.many

    async def counted_one(self: Any, statement: Any, /, **values: Any) -> Any:
        nonlocal looks
        looks += 1
        return await one(self, statement, **values)

    async def counted_many(self: Any, statement: Any, /, **values: Any) -> Any:
        nonlocal looks
        looks += 1
        return await many(self, statement, **values)

    monkeypatch.setattr(database, "one", counted_one)
    monkeypatch.setattr(database, "many", counted_many)
    began = asyncio.get_running_loop().time()
    for hundred in range(10):  # a thousand programs in the server's own process would be most of what is measured
        numbers = range(100 * hundred, 100 * hundred + 100)
        questions = [verifier.question() | {"instance": f"instance-{number}"} for number in numbers]
        answers = await asyncio.gather(*(verifier.post(SYNC, question) for question in questions))
        assert {answer.status_code for answer in answers} == {200}
    polled = (asyncio.get_running_loop().time() - began) / 0.1
    assert looks <= 100 + 5 * polled, "what a node looks at beside its questions grows with time, not with them"
    assert len(play.house.node.verifiers.known()) == 1_001


async def test_j6_what_an_operator_does_in_raw_sql_reaches_every_verifier_and_the_next_call(
    verifier: Asking, play: Play
) -> None:
    text = await play.scene.personal_token(play.ada, play.acme)
    assert await play.status(text) == 204
    assert await play.status(text) == 204
    await execute(play.house.settings.store_url, "UPDATE users SET disabled_at = 5 WHERE name = 'Ada'")
    assert await play.status(text) == 401
    before = verifier.lease.position.seq
    assert await verifier.sync() is Heard.RENEWED
    assert verifier.lease.position.seq > before
    assert (await verifier.fetch(text))["denied"] == "user_disabled"
