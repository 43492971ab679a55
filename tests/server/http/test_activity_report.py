"""The door at which APIs report calls: each record once, the good part of a batch kept, clear words for the rest."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keybearer.reporting.records import Record
from keybearer.reporting.records import line_of as line_of_record
from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.shipping import REFUSED
from keybearer.server.clock import DAY, MINUTE
from keybearer.wire.activity import entry_from, words_text
from keybearer.wire.denial import Bearer
from tests.reporting.spools import ASKED
from tests.support.activity import recorded
from tests.support.api import Stage
from tests.support.clock import HandClock
from tests.support.happenings import seal_all
from tests.support.house import House
from tests.support.reports import NDJSON, REPORT, Reporting, line_of, reporting
from tests.support.verifiers import asking

Change = Callable[[Reporting], bytes]


@dataclass(frozen=True)
class AtTheDoor:
    """Takes a reporter's records to the door, as an SDK does."""

    api: Reporting

    async def reporter(self) -> str:
        return self.api.verifier.resource_server_id

    async def take(self, records: list[Record], reporter: str) -> list[tuple[Record, str]]:
        answer = await self.api.report([line_of_record(record, reporter) for record in records])
        return [(records[refused["line"] - 1], refused["error"]) for refused in answer["refused"]]


@pytest.fixture
async def api(stage: Stage) -> Reporting:
    """Have an API that reports what Ada does in Acme."""
    return await reporting(stage)


async def calls(api: Reporting) -> list[dict[str, Any]]:
    return await recorded(api.house.node.database, "api.called")


async def test_a_call_is_kept_as_it_was_reported(api: Reporting) -> None:
    line = api.line(1, sealing={"subject": "invoice:7832", "words": '{"lines":3}'})
    assert await api.report([line]) == {"kept": 1, "repeated": 0, "refused": [], "through": 1}
    (call,) = await calls(api)
    assert bytes(call["entry"]).decode() == json.loads(line)["entry"]
    assert json.loads(call["details"]) == json.loads(line)["details"]
    entry = entry_from(bytes(call["entry"]))
    assert (call["user_id"], call["team_id"], call["token_id"]) == (
        api.token.user_id,
        api.token.team_id,
        api.token.token_id,
    )
    assert (call["route"], call["status"], call["reporter"], call["boot"], call["n"]) == (
        entry.route,
        200,
        api.verifier.resource_server_id,
        "boot-1",
        1,
    )
    assert (call["subject"], call["words"], call["address"]) == ("invoice:7832", '{"lines":3}', "203.0.113.9")


async def test_an_api_that_asks_by_introspection_is_told_all_that_it_has_to_report(
    api: Reporting, stage: Stage
) -> None:
    text = await stage.scene.personal_token(stage.cleo, stage.acme)
    told = (await api.verifier.program.post("/oauth/introspect", data={"token": text})).json()
    whose = {"token": told["jti"], "team": told["team"], "environment": told["environment"], "token_last4": text[-4:]}
    line = api.line(1, sealing={"user": told["sub"]}, client=told.get("client_id"), grant=None, **whose)
    assert (await api.report([line]))["kept"] == 1
    (call,) = await calls(api)
    assert call["user_id"] == stage.cleo.user_id


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_was_refused_is_taken_as_it_was_put_aside_once_it_is_good(
    api: Reporting, clock: HandClock, tmp_path: Path
) -> None:
    """The clock of an API was ten minutes ahead; ten minutes later whoever looks after it sends the lines again."""
    reporter, held = Reporter(ActivityLog(tmp_path), lambda: clock.now() + 10 * MINUTE), api.token
    whose = (held.user_id, held.team_id, held.environment, held.client_id, held.grant_id, held.token_id, held.last4)
    bearer = Bearer(*whose)
    reporter.begin(bearer, ASKED).finish("done", 200)
    shipping = asyncio.create_task(reporter.ship(AtTheDoor(api)))
    await asyncio.sleep(0)
    await reporter.flush(30)
    shipping.cancel()
    await asyncio.gather(shipping, return_exceptions=True)
    reporter.close()
    (refused,) = [json.loads(line) for line in (tmp_path / REFUSED).read_text().splitlines()]
    assert refused["why"] == "the entry's at is more than 5 minutes ahead of the server's clock"
    assert await calls(api) == []
    clock.advance(minutes=10)
    assert (await api.report([refused["line"].encode()]))["kept"] == 1


async def test_a_batch_that_is_sent_again_is_kept_once(api: Reporting) -> None:
    lines = api.lines(1, 2, 3)
    assert (await api.report(lines))["kept"] == 3
    again = await api.report([*lines, api.line(4), lines[0]])
    assert again == {"kept": 1, "repeated": 4, "refused": [], "through": 4}
    assert [call["n"] for call in await calls(api)] == [1, 2, 3, 4]


async def test_of_the_same_batch_many_times_at_once_each_record_is_kept_once(api: Reporting) -> None:
    lines = api.lines(*range(1, 41))
    told = await asyncio.gather(*(api.report(lines) for _ in range(6)))
    assert sum(each["kept"] for each in told) == 40
    assert all(each["kept"] + each["repeated"] == 40 and each["through"] == 40 for each in told)
    assert sorted(call["n"] for call in await calls(api)) == list(range(1, 41))


async def test_a_number_with_another_entry_is_a_conflict_and_the_first_one_stays(api: Reporting) -> None:
    first = api.line(1)
    await api.report([first])
    told = await api.report([api.line(1, status=500, outcome="failed"), api.line(2), api.line(2, status=404)])
    assert (told["kept"], told["repeated"], told["through"]) == (1, 0, 2)
    assert [(each["line"], each["n"], each["error"].partition(":")[0]) for each in told["refused"]] == [
        (1, 1, "conflict"),
        (3, 2, "conflict"),
    ]
    assert next(bytes(call["entry"]).decode() for call in await calls(api)) == json.loads(first)["entry"]


async def test_what_is_missing_holds_the_count_back_until_it_comes(api: Reporting) -> None:
    assert (await api.report(api.lines(1, 2, 5)))["through"] == 2
    assert (await api.report(api.lines(7, 4)))["through"] == 2
    assert (await api.report(api.lines(3)))["through"] == 5
    assert (await api.report(api.lines(6, 8)))["through"] == 8


async def test_each_life_of_a_process_counts_for_itself(api: Reporting) -> None:
    older = api.lines(1, 2)
    api.boot = "boot-2"
    assert (await api.report([*older, *api.lines(1)]))["through"] == 1
    assert [(call["boot"], call["n"]) for call in await calls(api)] == [("boot-1", 1), ("boot-1", 2), ("boot-2", 1)]


def _without_details(api: Reporting) -> bytes:
    return line_of(json.loads(api.line(2))["entry"], {})


def _with_other_details(api: Reporting) -> bytes:
    return line_of(json.loads(api.line(2))["entry"], json.loads(api.line(2))["details"])


def _with_a_space(api: Reporting) -> bytes:
    line = json.loads(api.line(2))
    return line_of(line["entry"].replace(":", ": ", 1), line["details"])


def _with_another_key(api: Reporting) -> bytes:
    line = json.loads(api.line(2))
    return line_of(line["entry"].replace('{"action"', '{"aaa":1,"action"', 1), line["details"])


def _with_another_member(api: Reporting) -> bytes:
    return api.line(2)[:-1] + b',"more":1}'


def _too_long(_: Reporting) -> bytes:
    return line_of("x" * 17_000, {})


BAD: list[Any] = [
    pytest.param(lambda _: b"not JSON", "malformed", id="no JSON"),
    pytest.param(lambda _: b"", "truncated", id="an empty line"),
    pytest.param(lambda _: b'{"entry":"\xff","details":{}}', "utf", id="no UTF-8"),
    pytest.param(lambda _: b'{"entry":1,"details":{}}', "entry", id="the entry is a number"),
    pytest.param(_with_another_member, "more", id="an unknown member"),
    pytest.param(_with_another_key, "aaa", id="an unknown key of the entry"),
    pytest.param(_with_a_space, "RFC 8785", id="not canonical"),
    pytest.param(_too_long, "longer", id="too long"),
    pytest.param(_without_details, "details", id="no details"),
    pytest.param(_with_other_details, "is not what the entry was sealed with", id="details of another"),
    pytest.param(lambda api: api.line(2, reporter="somebody"), "reporter", id="another's record"),
    pytest.param(lambda api: api.line(2, environment="live"), "environment", id="the other environment"),
    pytest.param(lambda api: api.line(None), "reporter", id="not counted"),
    pytest.param(lambda api: api.line(2, token="nobody's"), "token is not known", id="an unknown token"),
    pytest.param(lambda api: api.line(2, token=None), "token is not known", id="no token"),
    pytest.param(lambda api: api.line(2, team=api.token.team_id + 1), "team", id="another team"),
    pytest.param(lambda api: api.line(2, team=None), "team", id="no team"),
    pytest.param(lambda api: api.line(2, sealing={"user": "987654"}), "user", id="another user"),
    pytest.param(lambda api: api.line(2, client="app000000000000000000000"), "client", id="another app"),
    pytest.param(lambda api: api.line(2, grant="another"), "grant", id="another grant"),
    pytest.param(lambda api: api.line(2, token_last4="ZZZZ"), "token_last4", id="another token's characters"),
    pytest.param(lambda api: api.line(2, at=api.house.node.now() + 5 * MINUTE + 1), "ahead", id="of the future"),
    pytest.param(lambda api: api.line(2, at=api.house.node.now() - 30 * DAY - 1), "30 days", id="too long ago"),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("change", "said"), BAD)
async def test_a_bad_line_is_refused_with_its_reason_and_the_others_are_kept(
    api: Reporting, change: Change, said: str
) -> None:
    told = await api.report([api.line(1), change(api), api.line(3)])
    assert (told["kept"], told["repeated"], told["through"]) == (2, 0, 1)
    (refused,) = told["refused"]
    assert refused["line"] == 2
    assert said in refused["error"]
    assert [call["n"] for call in await calls(api)] == [1, 3]


async def test_times_at_the_edge_are_taken(api: Reporting) -> None:
    now = api.house.node.now()
    told = await api.report([api.line(1, at=now + 5 * MINUTE), api.line(2, at=now - 30 * DAY)])
    assert told["kept"] == 2


async def test_a_token_of_the_other_environment_is_as_good_as_unknown(stage: Stage) -> None:
    api = await reporting(stage, "live")
    told = await api.report([api.line(1, environment="live")])
    assert [each["error"] for each in told["refused"]] == ["the entry's token is not known"]


async def test_a_call_with_a_token_that_had_ended_is_reported_too(api: Reporting, clock: HandClock) -> None:
    clock.advance(days=2)  # the token of the scene ends after one
    told = await api.report([api.line(1, outcome="refused", reason="expired", status=401)])
    assert told["kept"] == 1


@pytest.mark.parametrize("key", ["", "kb_rsk_test_nothing"])
async def test_whose_key_is_not_known_is_turned_away_before_the_body_is_read(house: House, key: str) -> None:
    program = house.api(key) if key else house.program()
    answer = await program.post(REPORT, content=b"x" * 1_000_000, headers={"content-type": "image/png"})
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")
    assert await recorded(house.node.database) == []


async def test_a_revoked_key_reports_nothing_any_more(api: Reporting) -> None:
    await api.verifier.revoke_key()
    assert (await api.send(api.lines(1))).status_code == 401
    assert await calls(api) == []


async def test_a_batch_has_at_most_a_thousand_lines_and_four_mebibytes(api: Reporting) -> None:
    line = api.line(1)
    told = await api.report([line] * 1_000)
    assert (told["kept"], told["repeated"]) == (1, 999)
    assert (await api.send([line] * 1_001)).status_code == 413
    answer = await api.verifier.program.post(REPORT, content=b"x" * (4 * 1024 * 1024 + 1), headers=NDJSON)
    assert answer.status_code == 413
    elsewhere = await api.verifier.program.post("/verifier/sync", content=b"x" * (64 * 1024 + 1), headers=NDJSON)
    assert elsewhere.status_code == 413


async def test_another_content_type_is_refused(api: Reporting) -> None:
    answer = await api.verifier.program.post(REPORT, content=api.line(1), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")


async def test_one_api_cannot_speak_for_another(api: Reporting, stage: Stage) -> None:
    other = await asking(stage.house, name="Another API")
    answer = await other.program.post(REPORT, content=api.line(1), headers=NDJSON)
    assert [each["error"] for each in answer.json()["refused"]] == [
        "the entry's reporter is not the one whose key this is"
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_k8_what_does_not_fit_on_a_full_disk_is_refused_whole_and_kept_once_there_is_room(api: Reporting) -> None:
    house = api.house
    await api.report(api.lines(1))
    await seal_all(house.node)  # so that the sealer writes nothing meanwhile
    lines = [api.line(n, sealing={"words": words_text({"note": "x" * 7_000})}) for n in range(2, 102)]
    connection: Any = house.node.database._session._connection  # type: ignore[attr-defined]  # it is SQLite's
    connection.pragma("max_page_count", connection.pragma("page_count"))  # as if the disk had no page more
    answer = await api.send(lines)
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert answer.headers["retry-after"]
    assert [call["n"] for call in await recorded(house.node.database, "api.called")] == [1]
    assert await api.report(lines) == {"kept": 100, "repeated": 0, "refused": [], "through": 101}  # there is room again
    assert [call["n"] for call in await recorded(house.node.database, "api.called")] == list(range(1, 102))
