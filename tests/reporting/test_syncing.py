"""What is on the disk: one sync for all who wait, a full file beside the calls, and no word of what it did not take."""

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest

from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.segment import Unwritable
from keybearer.reporting.spool import Spool, segments_of
from keybearer.reporting.syncing import Syncing
from tests.reporting.spools import Taking, called, failing, now, reporter_of, shipped


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


async def test_what_a_full_file_has_is_not_said_to_be_on_the_disk_that_did_not_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "life", "life", segment_bytes=2_000)
    reporter = reporter_of(spool, "durable")
    with monkeypatch.context() as broken:
        broken.setattr(Syncing, "want", lambda _: None)
        broken.setattr(os, "fdatasync", failing(5))
        for _ in range(40):
            called(reporter)
    assert spool.file > 2
    with pytest.raises(Unwritable, match="Input/output"):
        await reporter.kept(called(reporter))
    reporter.close()


async def test_many_that_wait_for_the_disk_share_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[int] = []
    monkeypatch.setattr(os, "fdatasync", syncs.append)
    reporter = Reporter(ActivityLog(tmp_path, "durable"), now)
    await asyncio.gather(*(reporter.kept(called(reporter)) for _ in range(200)))
    assert len(syncs) == 1
    reporter.close()


async def test_what_is_said_to_be_on_the_disk_is_there_whichever_file_it_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: dict[int, int] = {}
    sync = os.fdatasync

    def noting(file: int) -> None:
        about = os.fstat(file)
        sync(file)
        on_disk[about.st_ino] = about.st_size

    monkeypatch.setattr(os, "fdatasync", noting)
    spool = Spool(tmp_path / "life", "life", segment_bytes=2_000)
    reporter = reporter_of(spool, "durable")
    for _ in range(40):
        await reporter.kept(called(reporter))
        for file in segments_of(spool.folder):
            assert on_disk[file.stat().st_ino] == file.stat().st_size
    assert spool.file > 5
    reporter.close()


def test_nobody_who_is_served_waits_for_the_disk_to_take_a_full_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[threading.Thread] = []
    spool = Spool(tmp_path / "life", "life", segment_bytes=2_000)
    reporter = reporter_of(spool)
    monkeypatch.setattr(os, "fdatasync", lambda _: waiting.append(threading.current_thread()))
    while spool.file < 6:
        called(reporter)
        while spool.full:
            time.sleep(0.001)
    assert waiting
    assert threading.current_thread() not in waiting
    reporter.close()


async def test_what_the_disk_has_not_taken_when_the_next_file_is_full_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Syncing, "want", lambda _: None)
    spool = Spool(tmp_path / "life", "life", segment_bytes=2_000)
    reporter, taking = reporter_of(spool), Taking()
    for _ in range(40):
        called(reporter)
        assert len(spool.full) <= 1
    assert spool.file > 5
    reporter.close()
    await shipped(following := Reporter(ActivityLog(tmp_path), now), taking)
    assert [entry.n for entry in taking.entries] == list(range(1, 41))
    following.close()
