"""The reporter of a process that is killed, and of one that is forked: each call is one record still."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.salts import salts
from tests.reporting.spools import Taking, called, now, shipped

WRITER = """
import sys
from keybearer.reporting.reporter import ActivityLog, Reporter
from tests.reporting.spools import ASKED, now, somebody
reporter = Reporter(ActivityLog(sys.argv[1], sys.argv[2]), now)
who = somebody()
while True:
    call = reporter.begin(who, ASKED)
    print("began", call.number, flush=True)
    reporter.wait_kept(call.finish("done", 200))
    print("answered", call.number, flush=True)
"""


def left_behind(parents: Reporter, folder: Path) -> None:
    """Do in a forked process what a verifier does there, and take a call."""
    parents.leave_to_parent()
    called(Reporter(ActivityLog(folder), now))


def ended_well(work: Callable[[], object]) -> bool:
    """Have a forked process do *work*."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


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


def test_a_forked_process_draws_salts_of_its_own(tmp_path: Path) -> None:
    drawn = {salts(3)}  # the rest of what was drawn with it waits for the next calls
    theirs = tmp_path / "theirs"
    assert ended_well(lambda: theirs.write_text("\n".join(salts(3) for _ in range(100))))
    drawn.update(theirs.read_text().splitlines(), (salts(3) for _ in range(100)))
    assert len(drawn) == 201


async def test_a_forked_process_has_a_life_of_its_own(tmp_path: Path) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    called(reporter)
    assert await asyncio.to_thread(ended_well, lambda: left_behind(reporter, tmp_path))
    called(reporter)
    await shipped(reporter, taking)
    assert sorted(entry.n for entry in taking.entries if entry.n) == [1, 1, 2]
    assert len({entry.boot for entry in taking.entries}) == 2
    reporter.close()
