"""Reach a SQLite file: look-ups at once on the event loop, transactions through the one grouping writer."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Executable

from keybearer.server.store.database import EpochAndSeq, Reader, Row, Transaction
from keybearer.server.store.faults import StoreUnavailable
from keybearer.server.store.feed_numbering import read_position
from keybearer.server.store.grouping import GroupWriter
from keybearer.server.store.listeners import Listeners
from keybearer.server.store.sqlite_connections import SqliteReader, open_reader
from keybearer.server.store.sqlite_writer import SqliteSession

P = ParamSpec("P")
T = TypeVar("T")

_SPARE_SNAPSHOTS = 4


class SqliteDatabase:
    """A `Database` in one file, for one machine."""

    answers_at_once = True

    def __init__(self, path: str, session: SqliteSession) -> None:
        self._path = path
        self._file = _which_file(path)
        self._session = session
        self._listeners = Listeners()
        self._writer = GroupWriter(self._session, self._listeners)
        self.commits = self._writer.commits
        # Autocommit and never with an unfinished cursor: every look-up sees the newest commit of any process.
        self._reader = SqliteReader(open_reader(path))
        self._snapshots: list[SqliteReader] = []
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """See `Database.waiting`."""
        return self._writer.waiting

    async def transact(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """See `Database.transact`."""
        return await self._writer.transact(lambda tx: work(tx, *args, **kwargs))

    async def transact_unsynced(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """See `Database.transact_unsynced`."""
        return await self._writer.transact(lambda tx: work(tx, *args, **kwargs), is_synced=False)

    async def view(self, work: Callable[Concatenate[Reader, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """
        See `Database.view`.

        Each view has a connection to itself while it runs, so a work that waits for
        something else keeps its snapshot from nobody.
        """
        reader = self._snapshots.pop() if self._snapshots else SqliteReader(open_reader(self._path))
        reader.begin()
        try:
            return await work(reader, *args, **kwargs)
        finally:
            reader.end()
            if len(self._snapshots) < _SPARE_SNAPSHOTS and not self._is_closed:
                self._snapshots.append(reader)
            else:
                reader.close()

    async def one(self, statement: Executable, /, **values: Any) -> Row | None:
        """See `Database.one`."""
        return await self._reader.one(statement, **values)

    async def many(self, statement: Executable, /, **values: Any) -> list[Row]:
        """See `Database.many`."""
        return await self._reader.many(statement, **values)

    def change_mark(self) -> int | None:
        """See `Database.change_mark`."""
        return self._reader.data_version()

    async def position(self) -> EpochAndSeq:
        """See `Database.position`."""
        return await read_position(self._reader)

    async def settle_lineage(self) -> None:
        """
        See `Database.settle_lineage`.

        Whether the file was put back is asked when it is opened; an open one can only be replaced by another.

        Raises:
            StoreUnavailable: another file is at its place.
        """
        if _which_file(self._path) != self._file:
            raise StoreUnavailable("the database file was replaced while it was open: start this process again")

    async def pass_barrier(self) -> str:
        """See `Database.pass_barrier`; no other store can take over from a file."""
        epoch, _ = await self.position()
        return epoch

    async def clock(self) -> None:
        """See `Database.clock`; the file is on this machine."""

    async def number_stray_events(self) -> EpochAndSeq:
        """See `Database.number_stray_events`."""
        await self.transact(read_position)  # any transaction numbers what it finds
        return await self.position()

    def on_commit(self, callback: Callable[[EpochAndSeq], None]) -> None:
        """See `Database.on_commit`."""
        self._listeners.add(callback)

    async def close(self) -> None:
        """See `Database.close`."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._writer.close()
        for reader in (self._reader, *self._snapshots):
            reader.close()
        await self._session.close()  # the last to go: closing it copies the log into the file, in its thread


def _which_file(path: str) -> tuple[int, int]:
    """Return what tells this file from another at the same place; (0, 0) if there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


async def open_sqlite(path: str, *, read_only: bool = False) -> SqliteDatabase:
    """Open the database file at *path*; see `open_database`."""
    session = SqliteSession(path, read_only=read_only)
    try:
        if not read_only:
            await session.settle_lineage()
        return SqliteDatabase(path, session)
    except BaseException:
        await session.close()
        raise
