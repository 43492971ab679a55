"""Every call at the server's own doors is a record: who, by which token, what, and how it ended."""

from typing import Any

import pytest

from keybearer.reporting.segment import Segment, Unwritable
from keybearer.wire.activity import CALL
from tests.support.activity import recorded
from tests.support.api import Stage
from tests.support.house import House
from tests.support.verifiers import asking


async def calls(house: House) -> list[dict[str, Any]]:
    """Return the records of the calls so far."""
    await house.node.call_records.flush()
    return await recorded(house.node.database, CALL)


async def test_a_call_of_the_api_is_one_record(house: House, stage: Stage) -> None:
    token = await stage.scene.personal_token(stage.ada, stage.acme)
    api = house.api(token)
    assert (await api.get("/api/v2/me", headers={"user-agent": "curl/8"})).status_code == 200
    assert (await api.patch("/api/v2/team", json={"telephone": "+"})).status_code == 422
    assert (await api.delete("/api/v2/token")).status_code == 204
    assert (await api.get("/api/v2/status")).status_code == 401
    assert (await house.api("kb_pat_test_unknown").get("/api/v2/status")).status_code == 401
    found = await calls(house)
    told = [(row["method"], row["route"], row["status"], row["outcome"]) for row in found]
    assert told == [
        ("GET", "/api/v2/me", 200, "done"),
        ("PATCH", "/api/v2/team", 422, "done"),
        ("DELETE", "/api/v2/token", 204, "done"),
        ("GET", "/api/v2/status", 401, "refused"),
    ]
    assert {(row["user_id"], row["team_id"], row["token_last4"]) for row in found} == {
        (stage.ada.user_id, stage.acme.team_id, token[-4:])
    }
    assert found[0]["agent"] == "curl/8"


async def test_a_look_at_a_proof_is_one_record_too(house: House, stage: Stage) -> None:
    api = house.api(await stage.scene.personal_token(stage.ada, stage.acme))
    path = f"/activity/log/team/{stage.acme.team_id}/2026-11/tile/9/000"
    assert (await api.get(path)).status_code == 404
    [row] = await calls(house)
    assert (row["user_id"], row["status"]) == (stage.ada.user_id, 404)


async def test_what_a_role_does_not_allow_is_recorded_as_refused(house: House, stage: Stage) -> None:
    token = await stage.scene.personal_token(stage.cleo, stage.acme)
    assert (await house.api(token).patch("/api/v2/team", json={"telephone": None})).status_code == 403
    [row] = await calls(house)
    assert (row["outcome"], row["status"]) == ("refused", 403)
    assert b'"reason":"forbidden"' in bytes(row["entry"])


async def test_a_gateways_question_is_one_record_of_the_call_behind_it(house: House, stage: Stage) -> None:
    gateway = await asking(house)
    asked = {"x-keybearer-key": gateway.key, "x-keybearer-permission": "team:manage", "x-forwarded-method": "DELETE"}
    for user, status in ((stage.ada, 200), (stage.cleo, 403)):
        api = await stage.personal(user, stage.acme)
        assert (await api.post("/forward-auth/invoices/7", headers=asked)).status_code == status
        assert (await api.post("/forward-auth", headers={"x-keybearer-key": "kb_rsk_x"})).status_code == 503
    rows = await calls(house)
    told = [(row["method"], row["outcome"], row["status"]) for row in rows]
    assert told == [("DELETE", "done", 200), ("DELETE", "refused", 403)]
    assert {row["words"] for row in rows} == {'{"api":"Ledger API"}'}


def has_no_room(*_: object) -> None:
    """Fail as a file does whose disk is full."""
    raise Unwritable("no room")


async def test_a_call_that_cannot_be_recorded_is_neither_done_nor_answered(
    house: House, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = house.api(await stage.scene.personal_token(stage.ada, stage.acme))
    with monkeypatch.context() as full:
        full.setattr(Segment, "append", has_no_room)
        answers = [await api.get("/api/v2/me"), await api.delete("/api/v2/token")]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "5")] * 2
    assert "ada" not in answers[0].text.lower()
    assert (await api.get("/api/v2/me")).status_code == 200, "the token was not deleted"
    assert [(row["method"], row["status"]) for row in await calls(house)] == [("GET", 200)]
