"""``keybearer activity refused``, as whoever looks after an API types it, away from any server."""

import json
from pathlib import Path

import pytest

from keybearer.cli.main import run
from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.shipping import REFUSED
from tests.reporting.spools import Taking, called, now, shipped

WHY = "the entry's at is more than 5 minutes ahead of the server's clock"


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Return a folder in which a reporter has put aside two records."""
    reporter = Reporter(ActivityLog(tmp_path), now)
    called(reporter)
    called(reporter, "refused", 403)
    await shipped(reporter, Taking(refusing=WHY))
    reporter.close()
    return tmp_path


def test_what_the_server_would_not_take_is_listed_and_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["activity", "refused", str(folder)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[1:] == second.split()[1:] == ["api.called", "GET", "/people/{id}", "7", *WHY.split()]
    assert run(["activity", "refused", str(folder), "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["outcome"], each["request_id"], each["reporter"]) for each in told] == [
        ("done", "req-1", "rs-1"),
        ("refused", "req-1", "rs-1"),
    ]


def test_a_line_that_a_crash_cut_short_hides_no_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = (folder / REFUSED).read_bytes()
    (folder / REFUSED).write_bytes(b'{"why": "a crash cut\n' + kept)
    assert run(["activity", "refused", str(folder)]) == 0
    cut_short, *others = capsys.readouterr().out.splitlines()
    assert cut_short.split() == ["line", "1", "cannot", "be", "read"]
    assert len(others) == 2


def test_a_folder_in_which_nothing_was_refused_is_no_mistake_and_one_that_is_not_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["activity", "refused", str(tmp_path)]) == 0
    assert run(["activity", "refused", str(tmp_path / "elsewhere")]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "name the one that the API gives to ActivityLog" in told.err
