"""The reporter: each call becomes one record, through crashes, lost answers, full disks and servers that are away."""

import math
import os
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pytest

from keybearer.reporting import shipping
from keybearer.reporting.asked import Asked, request_id_of
from keybearer.reporting.held_folders import LOCK, hold
from keybearer.reporting.lines import Whole, line_of, text_of
from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.segment import Unwritable
from keybearer.reporting.spool import Spool
from tests.reporting.spools import ASKED, Taking, called, failing, now, reporter_of, shipped, somebody


async def test_a_call_becomes_one_record_with_who_what_and_whence(tmp_path: Path) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    call = reporter.begin(somebody(), ASKED)
    call.record("client.created", {"client": 7832})
    call.record("mail.sent", {"to": 5})
    call.finish("done", 201, "/people")
    assert call.finish("failed") == 0, "a call is over once"
    await shipped(reporter, taking)
    [entry] = taking.entries
    assert (entry.n, entry.team, entry.environment, entry.action) == (1, 7, "sandbox", "client.created")
    assert (entry.method, entry.route, entry.status, entry.outcome) == ("GET", "/people", 201, "done")
    assert (entry.reporter, entry.request_id) == ("rs-1", "req-1")
    assert list(taking.opened()) == [
        {"user": "3", "address": "192.0.2.7", "agent": "curl/8", "words": '{"client":7832,"mail.sent.to":5}'}
    ]
    reporter.close()
    assert list(tmp_path.iterdir()) == [], "what was shipped is not left behind"


async def test_what_a_caller_sends_never_makes_a_record_that_is_refused(tmp_path: Path) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    reporter.begin(somebody(), Asked("GE T", "/\n", "é" * 200, "x" * 5_000, "\ud800" + "y" * 90_000)).finish(
        "done", 200
    )
    await shipped(reporter, taking)
    [entry] = taking.entries
    assert (entry.method, entry.route, entry.request_id) == (None, None, None)
    [opened] = taking.opened()
    assert opened["agent"] == "?" + "y" * 255
    assert len(opened["address"]) == 256
    reporter.close()


@pytest.mark.parametrize(
    ("action", "note"), [("mail.sent", "x" * 9_000), ("mail.sent", "\ud800"), ("Mail", "a letter")]
)
async def test_what_no_record_can_say_is_refused_where_it_is_said_and_holds_no_record_up(
    tmp_path: Path, action: str, note: str
) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    call = reporter.begin(somebody(), ASKED)
    with pytest.raises(ValueError, match=r"words is|action is not"):
        call.record(action, {"note": note})
    call.finish("failed", 500)
    await shipped(reporter, taking)
    assert [(entry.action, entry.status) for entry in taking.entries] == [("api.called", 500)]
    reporter.close()


async def test_what_a_framework_has_kinds_of_its_own_for_is_recorded_as_what_it_says(tmp_path: Path) -> None:
    class Text(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "a text"

    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    asked = Asked(Text("GET"), Text("/people"))
    reporter.begin(somebody(), asked).finish("done", HTTPStatus.CREATED, Text("/people"))
    reporter.begin_read(somebody(), asked).finish("done", HTTPStatus.CREATED)
    await shipped(reporter, taking)
    assert [(entry.method, entry.route, entry.status) for entry in taking.entries] == [("GET", "/people", 201)] * 2
    reporter.close()


@pytest.mark.parametrize("told", ["", "a\nb", "a\x7f", "x" * 129, "\u00e9", "\u2028"])
def test_a_request_id_that_no_entry_can_have_is_left_out(told: str) -> None:
    assert request_id_of(told) is None
    assert request_id_of("~ " * 64) == "~ " * 64


async def test_calls_that_differ_in_one_word_are_told_apart(tmp_path: Path) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    bearers = (somebody(), somebody()._replace(user_id=4), somebody()._replace(token_id="another"))
    others = {"method": "HEAD", "route": "/", "request_id": "req-2", "address": "192.0.2.8", "agent": None}
    askings = [ASKED, *(ASKED._replace(**{name: value}) for name, value in others.items())]
    made = [(bearer, asked) for bearer in bearers for asked in askings] * 2
    for bearer, asked in made:
        reporter.keep_read(bearer, asked, 200, '{"api":"X"}')
    await shipped(reporter, taking)
    told = [
        (
            opened["user"],
            entry.token,
            entry.method,
            entry.route,
            entry.request_id,
            opened["address"],
            opened.get("agent"),
        )
        for entry, opened in zip(taking.entries, taking.opened(), strict=True)
    ]
    assert told == [(str(bearer.user_id), bearer.token_id, *asked) for bearer, asked in made]
    reporter.close()


def test_what_an_earlier_version_left_in_a_spool_is_read() -> None:
    said = (
        b'["w",7,1764111600000000,"3",7,"sandbox",null,"grant-1","token-1","aB3x","GET","/people/{id}","req-1",'
        b'"192.0.2.7","curl/8","AAAA",7,"done",null,null,200,1,null,"{\\"api\\":\\"X\\"}","BBBB"]'
    )
    whole = line_of(said)
    assert isinstance(whole, Whole)
    assert (whole.intent.request_id, whole.intent.caller.agent, whole.outcome.salt) == ("req-1", "curl/8", "BBBB")
    assert text_of(whole) == said


async def test_a_lost_answer_counts_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking(losing=2)
    for _ in range(5):
        called(reporter)
    for _ in range(3):
        await shipped(reporter, taking)
    assert [entry.n for entry in taking.entries] == [1, 2, 3, 4, 5]
    reporter.close()


async def test_records_wait_while_no_server_answers_and_the_next_process_ships_them(tmp_path: Path) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking(is_away=True)
    called(reporter)
    left = reporter.begin(somebody(), ASKED)
    await shipped(reporter, taking)
    assert reporter.trouble == "away"
    reporter.close()
    assert left.number == 2

    taking.is_away = False
    following = Reporter(ActivityLog(tmp_path), now)
    await shipped(following, taking)
    assert [(entry.n, entry.outcome) for entry in taking.entries] == [(1, "done"), (2, "unknown")]
    following.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_read_is_kept_once_it_is_over_and_before_it_is_answered(tmp_path: Path) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    answered, _ = (reporter.begin_read(somebody(), ASKED) for _ in range(2))
    answered.finish("done", 200)
    reporter.close()

    following = Reporter(ActivityLog(tmp_path), now)
    await shipped(following, taking)
    [entry] = taking.entries
    assert (entry.n, entry.outcome, entry.status, entry.route) == (1, "done", 200, "/people/{id}")
    following.close()


async def test_what_was_begun_with_one_key_is_not_told_with_another(tmp_path: Path) -> None:
    reporter, first = Reporter(ActivityLog(tmp_path), now), Taking(losing=2)
    called(reporter)
    await shipped(reporter, first)
    reporter.close()

    following, second = Reporter(ActivityLog(tmp_path), now), Taking("rs-2")
    await shipped(following, second)
    assert second.kept == {}
    assert [path.suffix for path in tmp_path.iterdir() if path.name != following._spool.folder.name] == [".broken"]
    following.close()


@pytest.mark.parametrize(
    ("every_s", "left"),
    [
        pytest.param(math.inf, [".alive", ".bare", ".dead"], id="at one look each may be in the making"),
        pytest.param(0.0, [".alive"], id="at two looks"),
    ],
)
async def test_a_folder_whose_process_died_while_it_made_it_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every_s: float, left: list[str]
) -> None:
    monkeypatch.setattr(shipping, "_ADOPT_EVERY_S", every_s)
    for name in (".dead", ".alive", ".bare"):
        (tmp_path / name).mkdir()
    (tmp_path / ".dead" / LOCK).touch()
    held = hold(tmp_path / ".alive")
    assert held is not None
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    for _ in range(2):
        called(reporter)
        await shipped(reporter, taking)
    assert sorted(path.name for path in tmp_path.glob(".*")) == left
    reporter.close()
    os.close(held)


async def test_files_turn_over_and_go_while_calls_are_under_way(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "life", "life", segment_bytes=2_000)
    reporter, taking = reporter_of(spool), Taking()
    lasting = reporter.begin(somebody(), ASKED)
    for _ in range(40):
        called(reporter)
    files = len(list(spool.folder.glob("*.spool")))
    assert files > 5
    await shipped(reporter, taking)
    assert len(list(spool.folder.glob("*.spool"))) == 1
    lasting.finish("failed", 500)
    await shipped(reporter, taking)
    assert [entry.n for entry in taking.entries] == list(range(1, 42))
    assert taking.entries[-1].outcome == "failed"
    reporter.close()


@pytest.mark.parametrize(
    "spoil", [lambda old: old.replace(b"curl", b"wget", 1), lambda old: old[old.index(b"\n") + 1 :]]
)
async def test_a_spool_that_was_altered_is_left_to_people(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking(is_away=True)
    called(reporter)
    reporter.close()
    [file] = tmp_path.glob("*/*.spool")
    file.write_bytes(spoil(file.read_bytes()))

    taking.is_away = False
    following = Reporter(ActivityLog(tmp_path), now)
    called(following)
    await shipped(following, taking)
    assert len(taking.kept) == 1, "what is good is shipped"
    assert [path.suffix for path in tmp_path.iterdir()].count(".broken") == 1
    following.close()


def test_a_call_that_cannot_be_recorded_is_not_served_and_the_log_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reporter = Reporter(ActivityLog(tmp_path / "strict", "durable"), now)
    lenient = Reporter(ActivityLog(tmp_path / "lenient", serve_unrecorded_reads=True), now)
    with monkeypatch.context() as full:
        full.setattr(os, "write", failing(28))
        for _ in range(2):
            with pytest.raises(Unwritable, match="No space left"):
                called(reporter)
        assert [record.levelname for record in caplog.records if "cannot be recorded" in record.message] == ["WARNING"]
        assert called(lenient) == 0
        with pytest.raises(Unwritable):
            lenient.begin(somebody(), Asked("POST"))
    assert called(reporter) > 0, "there is room again"
    reporter.close()
    lenient.close()


async def test_a_disk_that_is_full_in_the_middle_of_a_line_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    whole = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: whole(file, data[:10]))
        with pytest.raises(Unwritable, match="no room"):
            called(reporter)
    called(reporter)
    await shipped(reporter, taking)
    assert [entry.n for entry in taking.entries] == [1]
    reporter.close()


async def test_the_server_may_be_behind_for_as_long_as_is_set(tmp_path: Path) -> None:
    reporter = Reporter(ActivityLog(tmp_path, longest_s=0.0), now)
    called(reporter)
    await shipped(reporter, Taking(is_away=True))
    with pytest.raises(Unwritable, match="nothing was taken"):
        called(reporter)
    reporter.close()
