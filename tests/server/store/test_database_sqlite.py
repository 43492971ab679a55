"""What SQLite alone can do to us: one file, one writer, a disk that fails."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from structlog.testing import capture_logs

from keybearer.server.store import sqlite_writer
from keybearer.server.store.database import Reader, at_once
from keybearer.server.store.faults import OutcomeUnknown, StoreUnavailable
from keybearer.server.store.sqlite import SqliteDatabase, open_sqlite
from tests.server.store.trial import FEED, add, add_and_announce, assert_chained, create_tables, events, items, names
from tests.support.databases import copy_sqlite


class FailingFile(apsw.VFSFile):
    """A file on a disk that can be made to fail."""

    def __init__(self, disk: "FailingDisk", name: Any, flags: list[int]) -> None:
        super().__init__(disk.beneath, name, flags)
        self._disk = disk
        self._is_log = str(name.filename() if isinstance(name, apsw.URIFilename) else name).endswith("-wal")

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - apsw's name
        if self._disk.cannot_read:
            raise apsw.IOError("the disk does not answer")
        return super().xRead(amount, offset)

    def xWrite(self, content: bytes, offset: int) -> None:  # noqa: N802 - apsw's name
        if self._is_log and self._disk.is_full:
            raise apsw.FullError("the disk is full")
        super().xWrite(content, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's name
        if self._is_log:
            self._disk.syncs += 1
            if self._disk.cannot_sync:
                raise apsw.IOError("the disk does not answer")
        super().xSync(flags)


class FailingDisk(apsw.VFS):
    """The way to a disk that can be made to fail."""

    def __init__(self) -> None:
        self.beneath = "unix"
        self.is_full = False
        self.cannot_read = False
        self.cannot_sync = False
        self.syncs = 0
        super().__init__("failing-disk", self.beneath)

    def xOpen(self, name: Any, flags: list[int]) -> FailingFile:  # noqa: N802 - apsw's name
        return FailingFile(self, name, flags)


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    disk = FailingDisk()
    before = apsw.vfs_names()[0]
    apsw.set_default_vfs("failing-disk")
    yield disk
    apsw.set_default_vfs(before)
    disk.unregister()


@pytest.fixture
async def file(migrated_sqlite: Path, tmp_path: Path) -> Path:
    file = tmp_path / "keybearer.db"
    await create_tables(copy_sqlite(migrated_sqlite, file))
    return file


@pytest.fixture
async def database(file: Path, disk: FailingDisk) -> AsyncIterator[SqliteDatabase]:  # noqa: ARG001 - opened on it
    database = await open_sqlite(str(file))
    yield database
    await database.close()


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(6_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    pytest.fail("waited 60 s in vain")


async def test_a_view_whose_disk_fails_tells_of_the_disk_and_the_next_one_sees_all(
    database: SqliteDatabase, disk: FailingDisk
) -> None:
    async def look(reader: Reader) -> None:
        await names(reader)
        disk.cannot_read = True
        await reader.many(FEED)

    await database.transact(add_and_announce, "before")
    with pytest.raises(StoreUnavailable):
        await database.view(look)
    disk.cannot_read = False
    assert await database.view(names) == ["before"]


async def test_works_that_wait_share_a_commit(database: SqliteDatabase, disk: FailingDisk) -> None:
    before = disk.syncs
    await asyncio.gather(*(database.transact(add_and_announce, str(number)) for number in range(64)))
    assert 1 <= disk.syncs - before <= 4


async def test_each_of_several_works_in_a_row_is_synced_before_it_is_acknowledged(
    database: SqliteDatabase, disk: FailingDisk
) -> None:
    for number in range(5):
        before = disk.syncs
        await database.transact(add, str(number))
        assert disk.syncs > before


async def test_an_unsynced_work_waits_for_no_disk_and_the_next_synced_one_keeps_it(
    database: SqliteDatabase, disk: FailingDisk
) -> None:
    await database.transact(add, "first")
    before = disk.syncs
    for number in range(5):
        await database.transact_unsynced(add, str(number))
    assert disk.syncs == before
    await asyncio.gather(database.transact_unsynced(add, "beside"), database.transact(add, "last"))
    assert disk.syncs > before


async def test_a_commit_that_fails_to_sync_is_acknowledged_to_nobody(
    database: SqliteDatabase, disk: FailingDisk, file: Path
) -> None:
    await database.transact(add_and_announce, "before")
    disk.cannot_sync = True
    works = [database.transact(add_and_announce, f"doubtful-{number}") for number in range(10)]
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 10
    assert len({id(outcome) for outcome in outcomes}) == 10
    disk.cannot_sync = False
    await database.transact(add_and_announce, "after")
    await database.close()
    reopened = await open_sqlite(str(file))
    assert set(await names(reopened)) >= {"before", "after"}
    assert_chained(await events(reopened))
    await reopened.close()


async def test_who_is_refused_in_a_group_that_is_lost_is_told_of_the_loss(
    database: SqliteDatabase, disk: FailingDisk
) -> None:
    async def refuse(_tx: object) -> None:
        raise LookupError

    disk.cannot_sync = True
    outcomes = await asyncio.gather(database.transact(add, "a"), database.transact(refuse), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 2
    disk.cannot_sync = False


async def test_a_full_disk_is_told_and_got_over(database: SqliteDatabase, disk: FailingDisk) -> None:
    await database.transact(add_and_announce, "before")
    disk.is_full = True
    for number in range(3):
        with pytest.raises(OutcomeUnknown, match="full"):
            await database.transact(add_and_announce, f"doubtful-{number}")
    assert await names(database) == ["before"]
    disk.is_full = False
    await database.transact(add_and_announce, "after")
    assert set(await names(database)) >= {"before", "after"}


async def test_a_commit_that_sqlite_refuses_is_undone_for_sure(database: SqliteDatabase) -> None:
    database._session._connection.set_commit_hook(lambda: True)
    works = [database.transact(add, str(number)) for number in range(3)]
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert await database.transact(add, "next") == "next"
    assert await names(database) == ["next"]


async def test_a_fault_of_the_machine_in_one_work_undoes_its_group_even_if_swallowed(database: SqliteDatabase) -> None:
    async def stubborn(tx: Any) -> str:
        connection = database._session._connection
        connection.pragma("max_page_count", connection.pragma("page_count"))
        with pytest.raises(StoreUnavailable, match="full"):
            await tx.run(items.insert().values(name="big", count=1, digest=bytes(1_000_000)))
        return "done"

    works = [database.transact(add, "early"), database.transact(stubborn), database.transact(add, "late")]
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert await names(database) == []
    assert await database.transact(add, "next") == "next"


async def test_a_fault_of_ours_does_not_end_the_writer(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ArithmeticError

    with monkeypatch.context() as patched, capture_logs() as lines:
        patched.setattr(database._session, "number", fail)
        with pytest.raises(OutcomeUnknown, match="ArithmeticError"):
            await database.transact(add, "a")
    assert [line["event"] for line in lines] == ["the writer failed", "the database keeps nothing"]
    assert await database.transact(add, "b") == "b"
    assert await names(database) == ["b"]


async def test_while_another_process_holds_the_write_lock_the_event_loop_goes_on(
    database: SqliteDatabase, file: Path
) -> None:
    other = apsw.Connection(str(file))
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(database.transact(add, "patient"))
    for _ in range(20):
        await asyncio.sleep(0.005)
        assert await names(database) == []
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    async with asyncio.timeout(60):
        assert await waiting == "patient"


async def test_a_write_lock_held_too_long_is_told(
    database: SqliteDatabase, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "_WAIT_S", 0.05)
    other = apsw.Connection(str(file))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another process"):
        await database.transact(add, "patient")
    other.close()
    assert await database.transact(add, "next") == "next"


async def test_the_writers_own_end_leaves_no_waiter_waiting(database: SqliteDatabase) -> None:
    async def endless(_tx: object) -> None:
        await asyncio.Event().wait()

    waiters = [asyncio.create_task(database.transact(endless)) for _ in range(3)]
    await asyncio.sleep(0.01)
    late = asyncio.create_task(database.transact(endless))
    await asyncio.sleep(0)
    database._writer._task.cancel()
    outcomes = await asyncio.gather(*waiters, late, return_exceptions=True)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.transact(add, "a")
    await asyncio.gather(database._writer._task, return_exceptions=True)


async def test_the_log_is_copied_in_a_quiet_moment(
    database: SqliteDatabase, file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_writer, "_QUIET_LOG_PAGES", 10)
    caplog.set_level(logging.WARNING)

    async def big(tx: Any) -> None:
        await tx.run(items.insert().values(name="big", count=1, digest=bytes(300_000)))

    before = file.stat().st_size
    await database.transact(big)
    assert file.stat().st_size == before
    await until(lambda: file.stat().st_size > before + 200_000)
    assert caplog.text == ""


async def test_a_quiet_moment_on_a_failing_disk_does_not_end_the_writer(
    database: SqliteDatabase, disk: FailingDisk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_writer, "_QUIET_LOG_PAGES", 1)
    await database.transact(add, "a")
    disk.cannot_sync = True
    await until(lambda: "was not copied" in caplog.text)
    disk.cannot_sync = False
    assert await database.transact(add, "b") == "b"


async def test_what_waits_is_not_looked_up_at_once() -> None:
    with pytest.raises(RuntimeError, match="a look-up waits"):
        at_once(asyncio.sleep(0))
