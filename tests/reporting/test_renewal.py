"""A disk that did not take what is recorded, and does again: a new spool is believed, nothing of the old one is."""

import asyncio
import errno
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from keybearer.reporting.reporter import ActivityLog, Reporter
from keybearer.reporting.segment import Unwritable
from keybearer.reporting.shipping import BROKEN
from keybearer.reporting.spool import segments_of
from tests.reporting.spools import ASKED, Taking, called, failing, now, shipped, shipping, somebody
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keybearer.reporting.reporter._SYNC_EVERY_S", 0.01)
    monkeypatch.setattr("keybearer.reporting.renewal._EVERY_S", 0.0)
    monkeypatch.setattr("keybearer.reporting.shipping._ADOPT_EVERY_S", 0.0)


@contextmanager
def broken_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(os, "fdatasync", failing(5))
        yield


async def is_renewed(reporter: Reporter) -> None:
    folder = reporter._spool.folder
    await until(lambda: reporter._spool.folder != folder)


async def test_calls_are_served_again_and_each_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path, "durable"), now), Taking()
    async with shipping(reporter, taking):
        await reporter.kept(called(reporter))
        with broken_disk():
            under_way, lost = reporter.begin(somebody(), ASKED), called(reporter)
            with pytest.raises(Unwritable, match="Input/output"):
                await reporter.kept(lost)
            with pytest.raises(Unwritable, match="Input/output"):
                reporter.begin(somebody(), ASKED)
        await is_renewed(reporter)
        with pytest.raises(Unwritable, match="Input/output"):
            under_way.finish("done", 200)
        for number in range(1, lost + 1):
            with pytest.raises(Unwritable, match="before"):
                await reporter.kept(number)
            with pytest.raises(Unwritable, match="before"):
                reporter.wait_kept(number)
        fresh = called(reporter)
        await reporter.kept(fresh)
        await asyncio.to_thread(reporter.wait_kept, fresh)
        await until(lambda: [entry.outcome for entry in taking.entries].count("unknown") == 1)
        await reporter.flush(30)
    assert sorted(entry.outcome for entry in taking.entries) == ["done", "done", "done", "unknown"]
    assert len({entry.boot for entry in taking.entries}) == 2
    assert [record.levelno for record in caplog.records if "the disk takes again" in record.message] == [
        logging.WARNING
    ]
    reporter.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["durable", "buffered"])
async def test_while_the_disk_takes_nothing_nothing_is_left_of_what_is_tried(
    tmp_path: Path, mode: Literal["durable", "buffered"], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Path] = []
    remove = shutil.rmtree

    def noted(folder: Path, **more: Any) -> None:
        tries.append(folder)
        remove(folder, **more)

    monkeypatch.setattr(shutil, "rmtree", noted)
    reporter = Reporter(ActivityLog(tmp_path, mode), now)
    async with shipping(reporter, Taking(is_away=True)):
        with broken_disk():
            called(reporter)
            await until(lambda: len(tries) > 2)
            if mode == "buffered":
                assert called(reporter) == 0, "what this promises is kept"
            assert reporter._spool.folder in tmp_path.iterdir()
        await is_renewed(reporter)
    assert len(list(tmp_path.iterdir())) == 2
    reporter.close()


async def test_a_full_disk_that_is_tried_again_and_again_takes_neither_files_nor_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder has room on a full disk, and a line has none: each try held a file open for good."""
    reporter, tries, write = Reporter(ActivityLog(tmp_path), now), list[bytes](), os.write

    def full(file: int, data: bytes) -> int:
        if not data.endswith(b"\n"):
            return write(file, data)  # it is no line
        tries.append(data)
        return failing(errno.ENOSPC)()

    async with shipping(reporter, Taking(is_away=True)):
        with broken_disk():
            called(reporter)
            await until(lambda: reporter._syncing.trouble is not None)
            before = len(list(Path("/proc/self/fd").iterdir()))
            with monkeypatch.context() as no_room:
                no_room.setattr(os, "write", full)
                await until(lambda: len(tries) > 10)
            assert len(list(Path("/proc/self/fd").iterdir())) < before + 5
            assert len(list(tmp_path.iterdir())) < 5
        await is_renewed(reporter)
    reporter.close()


@pytest.mark.parametrize("complaints", [1, 1_000])
async def test_a_disk_that_complains_when_a_file_is_closed_is_heard_and_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaints: int
) -> None:
    """A network's file system tells at the end what it could not write."""
    close, left = os.close, [errno.EIO] * complaints

    def complaining(file: int) -> None:
        is_spool = Path(f"/proc/self/fd/{file}").readlink().suffix == ".spool"
        close(file)
        if is_spool and left:
            failing(left.pop())()

    reporter = Reporter(ActivityLog(tmp_path, "durable"), now)
    async with shipping(reporter, Taking()):
        with monkeypatch.context() as network:
            network.setattr(os, "close", complaining)
            async with asyncio.timeout(20):
                with pytest.raises(Unwritable, match="Input/output"):
                    await reporter.kept(called(reporter))
        await is_renewed(reporter)
        await reporter.kept(called(reporter))
    reporter.close()


async def test_where_there_can_be_no_more_threads_the_disk_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = list[threading.Thread]()

    def start(thread: threading.Thread) -> None:
        tries.append(thread)
        raise RuntimeError("can't start new thread")

    reporter = Reporter(ActivityLog(tmp_path, "durable"), now)
    async with shipping(reporter, Taking()):
        with broken_disk(), pytest.raises(Unwritable):
            await reporter.kept(called(reporter))
        with monkeypatch.context() as crowded:
            crowded.setattr(threading.Thread, "start", start)
            await until(lambda: bool(tries))
        await is_renewed(reporter)
    reporter.close()


async def test_what_the_old_spool_lost_does_not_take_the_new_ones_records_along(tmp_path: Path) -> None:
    reporter = Reporter(ActivityLog(tmp_path, "durable"), now)
    async with shipping(reporter, Taking(is_away=True)):
        with broken_disk(), pytest.raises(Unwritable):
            await reporter.kept(called(reporter))
        old = reporter._spool.folder
        await is_renewed(reporter)
        await reporter.kept(called(reporter))
    [segment] = segments_of(old)
    segment.write_bytes(b"\0" * 100 + b"\n" + segment.read_bytes()[100:])
    reporter.close()
    following, taking = Reporter(ActivityLog(tmp_path), now), Taking()
    await shipped(following, taking)
    assert [(entry.n, entry.outcome) for entry in taking.entries] == [(1, "done")]
    following.close()
    assert [path.name for path in tmp_path.iterdir()] == [old.name + BROKEN]


async def test_a_folder_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    reporter, taking = Reporter(ActivityLog(tmp_path / "calls", "durable"), now), Taking()
    async with shipping(reporter, taking):
        await reporter.kept(called(reporter))
        await reporter.flush(30)
        shutil.rmtree(tmp_path / "calls")
        with pytest.raises(Unwritable, match="was deleted"):
            await reporter.kept(called(reporter))
        await is_renewed(reporter)
        await reporter.kept(called(reporter))
        await until(lambda: len(taking.entries) == 3)
        await until(lambda: reporter.trouble is None)
    reporter.close()
    assert list((tmp_path / "calls").iterdir()) == []


async def test_a_disk_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = Reporter(ActivityLog(tmp_path, "buffered"), now)
    async with shipping(reporter, Taking()):
        with broken_disk():
            called(reporter)
            await until(lambda: reporter._syncing.trouble is not None)
        with monkeypatch.context() as hanging:
            hanging.setattr(os, "fdatasync", lambda _: time.sleep(0.5))
            began = time.monotonic()
            while time.monotonic() < began + 0.3:
                await asyncio.wait_for(asyncio.sleep(0), 0.2)
                called(reporter)
        await is_renewed(reporter)
    reporter.close()
