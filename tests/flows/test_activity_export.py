"""Exports of the activity log: whole or filtered they are proved, and spreadsheets run nothing of them."""

import asyncio
import csv
import io
import json
import re

import pytest
from sqlalchemy import delete, update
from starlette.types import Message

from keybearer.audit.trust import Trust
from keybearer.audit.verdict import Verdict
from keybearer.audit.verification import Verification
from keybearer.cli.activity_stored import first_damage, say_frozen, stored_verdict
from keybearer.cli.progress import Progress
from keybearer.cli.trouble import Trouble
from keybearer.server import ledger
from keybearer.server.actions.set_operator import set_operator
from keybearer.server.activities import Activity, Actor
from keybearer.server.reads import activity_export
from keybearer.server.reads.activity import Sight
from keybearer.server.reads.activity_export import activity_chunks, stored_chunks
from keybearer.server.records import ActivityFilter
from keybearer.server.sealing.signing import freeze_by_id
from keybearer.server.store import sessions
from keybearer.server.store.activity_export import every_log, logs_of
from keybearer.server.store.activity_logs import sign_with
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import activity_records, activity_tiles
from keybearer.wire.activity_keys import CANONICAL
from keybearer.wire.checkpoint import key_from
from tests.support.api import Stage, set_stage
from tests.support.browser import Browser
from tests.support.happenings import happen, seal_all
from tests.support.house import House

PATH = "/activity/export"


@pytest.fixture
async def stage(house: House, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Twenty calls of two people, sealed, and one that is not; records are fetched three at a time."""
    monkeypatch.setattr(activity_export, "_AT_ONCE", 3)
    stage = await set_stage(house)
    for number in range(20):
        who = stage.cleo if number % 3 == 0 else stage.ada
        await happen(house.node, who, stage.acme, request_id=f"r{number}", outcome="refused" if number == 7 else "done")
    await happen(house.node, stage.bob, stage.works, request_id="of-works")
    await seal_all(house.node)
    return stage


def verdict_on(stage: Stage, written: bytes) -> Verdict:
    verification = Verification(Trust([key_from(stage.house.node.sealer.verifier_key)], []))
    verification.take(written.splitlines(keepends=True))
    return verification.verdict()


async def exported(browser: Browser, query: str = "") -> bytes:
    answer = await browser.client.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    return answer.content


def told(written: bytes) -> list[str]:
    entries = [json.loads(line).get("entry", {}) for line in written.splitlines()]
    return [entry["request_id"] for entry in entries if entry.get("request_id", "").startswith(("r", "of"))]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("", [f"r{number}" for number in range(20)], id="everything"),
        pytest.param("outcome=refused", ["r7"], id="one record"),
        pytest.param("client=none", [], id="nothing"),
        pytest.param("user=3&action=api.called", [f"r{number}" for number in range(0, 20, 3)], id="a person's calls"),
    ],
)
async def test_a_filtered_export_is_proved_as_well_as_a_whole_one(stage: Stage, query: str, found: list[str]) -> None:
    assert stage.cleo.user_id == 3
    written = await exported(await stage.at_browser(stage.ada), query)
    assert told(written) == found
    verdict = verdict_on(stage, written)
    assert (verdict.faults, len(verdict.logs)) == ((), 1)
    if found:
        line = next(line for line in written.splitlines() if f'"{found[0]}"'.encode() in line)
        changed = written.replace(line, line.replace(b'"GET"', b'"PUT"'))
        assert changed != written
        assert verdict_on(stage, changed).faults


@pytest.mark.parametrize(
    ("becomes", "is_whole"), [("read-only", False), ("signed out", False), ("in another team", True)]
)
async def test_an_export_breaks_off_when_whoever_reads_it_may_not_see_it_any_more(
    stage: Stage, becomes: str, is_whole: bool
) -> None:
    ada, sent = await stage.at_browser(stage.ada), list[Message]()

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 3:
            await change(stage, ada, becomes)

    request = ada.client.build_request("GET", PATH)
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    scope = {"type": "http", "method": "GET", "path": PATH, "query_string": b"", "headers": headers}
    await stage.house.app({**scope, "client": ("127.0.0.1", 1)}, receive_nothing, send)
    assert [message["type"] for message in sent[:3]] == ["http.response.start", *["http.response.body"] * 2]
    found = len(told(b"".join(message["body"] for message in sent[1:])))
    assert (sent[-1]["more_body"], found == 20) == (not is_whole, is_whole)
    assert found > 0


async def change(stage: Stage, ada: Browser, becomes: str) -> None:
    """Let something happen to Ada while she reads."""
    node = stage.house.node
    if becomes == "signed out":
        await node.act(sessions.end_all, stage.ada.user_id, node.now())
    elif becomes == "in another team":
        await ada.get("/switch-team")
        assert (await ada.fill_and_submit(f"team={stage.works.team_id}")).status == 200
    else:
        await stage.scene.member(stage.acme, stage.ada, becomes)


async def receive_nothing() -> Message:
    return await asyncio.Future()


async def test_the_stored_log_is_verified_and_what_was_edited_is_named(stage: Stage) -> None:
    node, team_id = stage.house.node, stage.acme.team_id
    trust = Trust([key_from(node.sealer.verifier_key)], [])
    logs, wanted = await logs_of(node.database, team_id), ActivityFilter(team_id)
    verdict = await stored_verdict(activity_chunks(node.database, Sight(team_id, None), wanted), trust)
    assert (verdict.faults, len(verdict.logs)) == ((), 1)
    assert await first_damage(node.database, logs, Progress("verified")) == ""
    await node.act(_edit, "r7", outcome="done")
    why = await first_damage(node.database, logs, Progress("verified"))
    assert "its outcome is not what the entry says" in why


async def test_a_key_in_the_database_that_is_none_is_named_by_whoever_verifies_what_is_stored(stage: Stage) -> None:
    node = stage.house.node
    trust = Trust([key_from(node.sealer.verifier_key)], [])
    await node.act(sign_with, "no key")
    with pytest.raises(Trouble, match="is not one: a key is written"):
        await stored_verdict(stored_chunks(node.database), trust)


async def test_whoever_verifies_what_is_stored_hears_of_logs_that_are_frozen(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    node, team_id = stage.house.node, stage.acme.team_id
    [log] = await logs_of(node.database, team_id)
    say_frozen([log])
    assert capsys.readouterr().err == ""
    await node.act(freeze_by_id, log.log_id, "it was put back", node.now())
    say_frozen(await logs_of(node.database, team_id))
    assert capsys.readouterr().err == f"{log.origin} is frozen: it was put back\n"


async def test_all_that_is_stored_is_verified_what_belongs_to_no_team_included(stage: Stage) -> None:
    node, trust = stage.house.node, Trust([key_from(stage.house.node.sealer.verifier_key)], [])
    signed_in = Activity("session.started", "session:1", user_id=stage.ada.user_id)
    await node.act(ledger.record, Actor("sign-in", "203.0.113.9"), signed_in, node.now())
    await node.act(set_operator, Actor("operator", "command line"), stage.ada.user_id, node.now(), is_operator=True)
    await seal_all(node)
    logs = await every_log(node.database)
    verdict = await stored_verdict(stored_chunks(node.database), trust)
    assert (verdict.faults, verdict.unsigned) == ((), 0)
    assert {origin.split("/")[2] for origin in verdict.logs} == {"team", "user", "server"}
    assert verdict.logs.keys() == {log.origin for log in logs}
    assert not any(log.skipped for log in verdict.logs.values())
    for edited, log in (("sign-in", "/user/"), ("operator", "/server/")):
        await node.act(_edit, edited, outcome="refused")
        assert log in await first_damage(node.database, logs, Progress("verified"))
        await node.act(_edit, edited, outcome="done")


async def test_an_entry_edited_in_the_database_is_named_by_whoever_verifies_an_export(stage: Stage) -> None:
    ada, node = await stage.at_browser(stage.ada), stage.house.node
    line = next(json.loads(line) for line in (await exported(ada)).splitlines() if b'"r7"' in line)
    edited = CANONICAL.encode(line["entry"] | {"outcome": "done"}).encode()
    await node.act(_edit, "r7", entry=edited)
    (fault,) = verdict_on(stage, await exported(ada)).faults
    assert (fault.index, fault.what) == (line["index"], "the entry is not the one whose hash the log has in this place")
    await node.act(_forget_hashes)
    (fault,) = verdict_on(stage, await exported(ada)).faults
    assert fault.what.startswith("the records are not those that the checkpoint")


@pytest.mark.parametrize(
    "details",
    [
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"user":5}', id="a number"),
        pytest.param(b"[" * 100_000, id="without bottom"),
    ],
)
async def test_details_spoilt_in_the_database_hinder_no_export_and_are_named(stage: Stage, details: bytes) -> None:
    ada, node = await stage.at_browser(stage.ada), stage.house.node
    place = next(json.loads(line) for line in (await exported(ada)).splitlines() if b'"r7"' in line)["index"]
    await node.act(_edit, "r7", details=details)
    (fault,) = verdict_on(stage, await exported(ada)).faults
    assert (fault.index, fault.what) == (place, "the details have 'spoilt', which the entry does not")


async def _forget_hashes(tx: Transaction) -> None:
    await tx.run(delete(activity_tiles))


async def _edit(tx: Transaction, request_id: str, /, **columns: str | bytes) -> None:
    """Have a refused call look as if it had been let through."""
    is_it = activity_records.c.request_id == request_id
    await tx.run(update(activity_records).where(is_it).values(columns))


async def test_a_member_exports_their_own_alone_and_that_is_proved(stage: Stage) -> None:
    written = await exported(await stage.at_browser(stage.cleo))
    assert told(written) == [f"r{number}" for number in range(0, 20, 3)]
    assert verdict_on(stage, written).faults == ()
    other = await exported(await stage.at_browser(stage.cleo), f"user={stage.ada.user_id}")
    assert other == b""


async def test_a_cell_that_a_spreadsheet_would_run_is_a_text(stage: Stage) -> None:
    for agent in ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", '="a","b"\n=2'):
        await happen(stage.house.node, stage.ada, stage.acme, client="app", sealing={"agent": agent})
    written = await exported(await stage.at_browser(stage.ada), "client=app&format=csv")
    rows = list(csv.DictReader(io.StringIO(written.decode(), newline="")))
    assert len(rows) == 7
    assert all(row["agent"].startswith("'") for row in rows)
    assert [name for name in rows[0] if name in {"entry", "details"}] == []
    assert {row["action"] for row in rows} == {"api.called"}


async def test_a_cell_that_a_spreadsheet_would_part_at_semicolons_has_no_formula_in_it(stage: Stage) -> None:
    """Where the comma stands in decimal numbers, spreadsheets read CSV so."""
    agents = ("Mozilla/5.0 (X11; Linux);=1+1", "x;@SUM(1);-1", 'x";=1', "x\t=1", "x\n=1", 'x;"=1;y', 'x\t"=1', 'x\n"=1')
    for agent in agents:
        await happen(stage.house.node, stage.ada, stage.acme, client="app", sealing={"agent": agent})
    written = (await exported(await stage.at_browser(stage.ada), "client=app&format=csv")).decode()
    lines = re.split(r"[\r\n]+", written)
    cells = [cell for mark in ";\t" for cells in csv.reader(lines, delimiter=mark) for cell in cells]
    assert len(cells) > 20
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert "Mozilla/5.0 (X11; Linux);'=1+1" in written


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("has_log", [True, False])
async def test_a_record_that_gets_its_place_while_an_export_is_written_is_there_once(
    stage: Stage, form: str, *, has_log: bool
) -> None:
    """Whenever that is: between any two looks into the store."""
    node = stage.house.node
    for moment in range(12):
        team = await stage.scene.team(f"New{moment}")
        if has_log:
            await happen(node, stage.ada, team)
            await seal_all(node)
        names = [f"late-{moment}-{number}" for number in range(8)]
        for name in names:
            await happen(node, stage.ada, team, request_id=name)
        written, number = b"", 0
        sight, wanted = Sight(team.team_id, None), ActivityFilter(team.team_id)
        async for chunk in activity_chunks(node.database, sight, wanted, form):
            written += chunk.data
            if number == moment:
                await seal_all(node)
            number += 1
        assert {name: written.count(name.encode()) for name in names} == dict.fromkeys(names, 1)
    assert moment > number


async def test_what_is_not_signed_yet_comes_last_and_is_said_to_be_so(stage: Stage) -> None:
    house = stage.house
    await happen(house.node, stage.ada, stage.acme, request_id="r-late")
    written = await exported(await stage.at_browser(stage.ada), "user=1")
    assert told(written)[-1] == "r-late"
    assert verdict_on(stage, written).faults == ()


async def test_no_token_text_and_nothing_of_another_team_is_in_any_export(stage: Stage) -> None:
    text = await stage.scene.personal_token(stage.ada, stage.acme)
    await stage.house.api(text).get("/api/v2/me")
    ada = await stage.at_browser(stage.ada)
    for form in ("jsonl", "csv"):
        written = (await exported(ada, f"format={form}")).decode()
        assert "of-works" not in written
        assert text[-20:] not in written
    assert (await ada.client.get(f"{PATH}?format=xml")).status_code == 404
    assert (await ada.client.get(f"{PATH}?user=ada")).status_code == 422
    assert (await ada.client.get(f"{PATH}?team=999")).status_code == 404
