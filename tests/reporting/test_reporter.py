"""The reporter: each call becomes one record, through crashes, lost answers, full disks and servers that are away."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from keybearer.reporting.asked import Asked
from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.segment import Unwritable
from keybearer.reporting.spool import Spool
from tests.reporting.spools import ASKED, Taking, called, now, somebody

WRITER = """
import sys, time
from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.segment import Unwritable
from tests.reporting.spools import ASKED, now, somebody
reporter = Reporter(ActivityLog(sys.argv[1], sys.argv[2]), now)
who = somebody()
while True:
    call = reporter.begin(who, ASKED)
    print("began", call.number, flush=True)
    reporter.wait_kept(call.finish("done", 200))
    print("answered", call.number, flush=True)
"""


def failing(number: int) -> Callable[..., int]:
    """Return what a system call does that fails so."""

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return fail


def left_behind(parents: Reporter, folder: Path) -> None:
    """Do in a forked process what a verifier does there, and take a call."""
    parents.leave_to_parent()
    called(Reporter(ActivityLog(folder), now))


def ended_well(work: Callable[[], None]) -> bool:
    """Have a forked process do *work*."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


async def shipped(reporter: Reporter, taking: Taking) -> None:
    """Ship what there is now, as the task of a verifier does."""
    task = asyncio.create_task(reporter.ship(taking))
    await asyncio.sleep(0)
    await reporter.flush(30)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


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


async def test_files_turn_over_and_go_while_calls_are_under_way(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "life", "life", segment_bytes=2_000)
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    reporter._spool.close(is_shipped=True)
    reporter._spool = spool
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


def test_a_call_that_cannot_be_recorded_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = Reporter(ActivityLog(tmp_path / "strict"), now)
    lenient = Reporter(ActivityLog(tmp_path / "lenient", serve_unrecorded_reads=True), now)
    with monkeypatch.context() as full:
        full.setattr(os, "write", failing(28))
        with pytest.raises(Unwritable, match="No space left"):
            called(reporter)
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


async def test_a_sync_that_fails_is_never_believed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = Reporter(ActivityLog(tmp_path, "durable"), now)
    await reporter.kept(called(reporter))
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", failing(5))
        with pytest.raises(Unwritable, match="Input/output"):
            await reporter.kept(called(reporter))
    with pytest.raises(Unwritable):
        await reporter.kept(called(reporter))
    reporter.close()


async def test_many_that_wait_for_the_disk_share_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[int] = []
    monkeypatch.setattr(os, "fdatasync", syncs.append)
    reporter = Reporter(ActivityLog(tmp_path, "durable"), now)
    await asyncio.gather(*(reporter.kept(called(reporter)) for _ in range(200)))
    assert 1 <= len(syncs) < 100
    reporter.close()


async def test_the_server_may_be_behind_for_as_long_as_is_set(tmp_path: Path) -> None:
    reporter = Reporter(ActivityLog(tmp_path, longest_s=0.0), now)
    called(reporter)
    await shipped(reporter, Taking(is_away=True))
    with pytest.raises(Unwritable, match="nothing was taken"):
        called(reporter)
    reporter.close()


@pytest.mark.parametrize("mode", ["durable", "buffered"])
async def test_a_process_that_is_killed_leaves_each_answered_call_as_one_record(tmp_path: Path, mode: str) -> None:
    for moment in (1, 2, random.randint(3, 60)):  # noqa: S311 - a moment, no secret
        began, answered = killed_after(moment, tmp_path, mode)
        following, taking = Reporter(ActivityLog(tmp_path), now), Taking()
        await shipped(following, taking)
        following.close()
        outcomes = [entry.outcome for entry in taking.entries]
        assert outcomes[:answered] == ["done"] * answered
        assert outcomes.count("unknown") <= 1
        assert began <= len(outcomes) <= began + 1, "one more may have begun than was told of"


def killed_after(lines: int, folder: Path, mode: str) -> tuple[int, int]:
    """Run a process that takes calls, and kill it at some line of its; return how many began, and how many ended."""
    program = [sys.executable, "-c", WRITER, str(folder), mode]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    whole = [line.split()[0] for line in said if line.endswith("\n")]
    return whole.count("began"), whole.count("answered")


def test_a_process_forked_while_a_call_is_written_waits_for_nobody(tmp_path: Path) -> None:
    reporter = Reporter(ActivityLog(tmp_path), now)
    with reporter._spool._lock:
        assert ended_well(lambda: left_behind(reporter, tmp_path))
    reporter.close()


async def test_a_forked_process_has_a_life_of_its_own(tmp_path: Path) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    called(reporter)
    assert await asyncio.to_thread(ended_well, lambda: left_behind(reporter, tmp_path))
    called(reporter)
    await shipped(reporter, taking)
    assert sorted(entry.n for entry in taking.entries if entry.n) == [1, 1, 2]
    assert len({entry.boot for entry in taking.entries}) == 2
    reporter.close()
