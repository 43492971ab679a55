"""The doors for verifiers: what happened since, who acts with a token, and who may ask at all."""

import asyncio
import json
from typing import Any

import pytest

from keybearer.server.actions.set_user_disabled import set_user_disabled
from keybearer.server.activities import Actor
from keybearer.verify.lease import Heard
from keybearer.wire.feed import Fetched
from keybearer.wire.messages import fetched_from_json
from tests.support.api import Stage
from tests.support.verifiers import Asking, asking

SYNC, FETCH, COUNT = "/verifier/sync", "/verifier/fetch", "/verifier/count"
ACTOR = Actor("a test", "127.0.0.1")
HASH = "00" * 32


@pytest.fixture
async def verifier(stage: Stage) -> Asking:
    """Have a verifier for the sandbox that has followed the feed so far."""
    made = await asking(stage.house)
    assert await made.sync() is Heard.RENEWED
    return made


async def disable_ada(stage: Stage) -> None:
    node = stage.house.node
    await node.act(set_user_disabled, ACTOR, stage.ada.user_id, node.now(), is_disabled=True)


async def test_an_answer_says_how_long_it_may_be_believed_and_is_kept_by_nobody(verifier: Asking) -> None:
    answer = await verifier.post(SYNC, verifier.question())
    body = answer.json()
    assert (body["lease"], body["interval"], body["reset"], body["events"]) == (8.0, 1.0, False, [])
    assert 0 <= body["age"] < 8
    assert answer.headers["cache-control"] == "no-store"


async def test_a_fetched_token_is_mirrored_and_a_change_takes_it_away(verifier: Asking, stage: Stage) -> None:
    text = await stage.scene.personal_token(stage.ada, stage.acme, "team:read")
    told = await verifier.fetch(text)
    fetched = fetched_from_json(told["fetched"])
    principal = fetched.principal
    assert (principal.user_id, principal.team_id, principal.role) == (stage.ada.user_id, stage.acme.team_id, "owner")
    assert (principal.permissions, principal.token_last4) == (frozenset({"team:read"}), text[-4:])
    assert fetched.remaining_s == pytest.approx(86_400)
    assert verifier.lease.fetched(b"d", fetched, 0.0, 0.0) is not None
    assert verifier.lease.mirror.entries
    await disable_ada(stage)
    assert await verifier.sync() is Heard.RENEWED
    assert not verifier.lease.mirror.entries
    assert (await verifier.fetch(text))["denied"] == "user_disabled"


async def test_who_waits_is_answered_when_something_happens_and_not_before(verifier: Asking, stage: Stage) -> None:
    before = verifier.lease.position.seq
    waiting = asyncio.create_task(verifier.sync(5))
    await asyncio.sleep(0.25)
    assert not waiting.done()
    await disable_ada(stage)
    assert await waiting is Heard.RENEWED
    assert verifier.lease.position.seq == before + 1


async def test_a_token_of_the_other_environment_is_denied_and_nothing_else_is_told(
    verifier: Asking, stage: Stage
) -> None:
    live = await stage.scene.personal_token(stage.ada, stage.works)
    await disable_ada(stage)
    assert await verifier.fetch(live) == {"nonce": "a nonce", "fetched": None, "denied": "wrong_environment"}
    other = await asking(stage.house, "live")
    assert (await other.fetch(live))["denied"] == "user_disabled"


async def test_nothing_but_tokens_that_act_is_fetched(verifier: Asking) -> None:
    assert (await verifier.fetch("nobody's"))["denied"] == "unknown"
    assert (await verifier.fetch(verifier.key))["denied"] == "unknown"


async def test_a_fetched_token_is_as_new_as_the_feed(verifier: Asking, stage: Stage) -> None:
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    fetched = fetched_from_json((await verifier.fetch(text))["fetched"])
    assert isinstance(fetched, Fetched)
    assert (fetched.epoch, fetched.as_of) == (verifier.lease.position.epoch, verifier.lease.position.seq)


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        pytest.param(SYNC, {"instance": None}, id="no instance"),
        pytest.param(SYNC, {"instance": "short"}, id="short instance"),
        pytest.param(SYNC, {"instance": "a b c d e f"}, id="instance with blanks"),
        pytest.param(SYNC, {"wait": -1}, id="negative wait"),
        pytest.param(SYNC, {"wait": 6}, id="long wait"),
        pytest.param(SYNC, {"wait": True}, id="wait is a bool"),
        pytest.param(SYNC, {"nonce": ""}, id="no nonce"),
        pytest.param(SYNC, {"position": None}, id="no position"),
        pytest.param(SYNC, {"position": {"epoch": "e", "seq": -1, "hash": HASH}}, id="negative position"),
        pytest.param(SYNC, {"position": {"epoch": "e", "seq": 1, "hash": "00"}}, id="short hash"),
        pytest.param(FETCH, {"digest": None}, id="no digest"),
        pytest.param(FETCH, {"digest": "AB" * 32}, id="capital digest"),
        pytest.param(FETCH, {"digest": "ab" * 31}, id="short digest"),
        pytest.param(FETCH, {"nonce": None}, id="no nonce to fetch with"),
        pytest.param(FETCH, {"nonce": "n" * 65}, id="long nonce"),
        pytest.param(FETCH, {"instance": 7}, id="instance is a number"),
    ],
)
async def test_a_malformed_question_is_refused(verifier: Asking, path: str, changes: dict[str, Any]) -> None:
    good = verifier.question() if path == SYNC else {"nonce": "n", "instance": "instance-1", "digest": HASH}
    answer = await verifier.post(path, good | changes)
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert set(body) == {"error", "message"}
    assert body["error"] == "invalid_request"


@pytest.mark.parametrize("path", [SYNC, FETCH, COUNT])
async def test_a_nonce_that_no_answer_could_repeat_is_refused(verifier: Asking, path: str) -> None:
    body = verifier.question() | {"digest": HASH, "wants": [], "nonce": "\ud800"}
    answer = await verifier.program.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_json")


async def test_a_position_beyond_all_numbers_is_none_of_this_feeds(verifier: Asking) -> None:
    question = verifier.question()
    for seq in (2**62, 2**63, 10**300):
        question["position"]["seq"] = seq
        answer = await verifier.post(SYNC, question)
        assert answer.json()["reset"], answer.text


async def test_what_is_known_of_each_verifier_is_who_it_is_and_how_far_it_has_come(
    verifier: Asking, stage: Stage
) -> None:
    await verifier.sync()
    confirmed = verifier.lease.position
    await disable_ada(stage)
    verifiers = stage.house.node.verifiers
    (known,) = verifiers.known()
    assert (known.resource_server_id, known.instance) == (verifier.resource_server_id, verifier.instance)
    assert known.position == confirmed
    await verifier.sync()  # hears of it
    await verifier.sync()  # and says so
    assert verifiers.known()[0].position.seq == confirmed.seq + 1
