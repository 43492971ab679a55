"""Reach PostgreSQL: look-ups on held connections, a transaction for each work."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import asyncpg
from sqlalchemy import BigInteger, Executable, cast, func, select, text

from keybearer.server.store.commits import Commits
from keybearer.server.store.database import READ_ONLY, EpochAndSeq, Reader, Row, Transaction
from keybearer.server.store.faults import StoreUnavailable
from keybearer.server.store.feed_numbering import read_position
from keybearer.server.store.listeners import Listeners
from keybearer.server.store.postgres_connections import Address, Connections, Link, PostgresReader
from keybearer.server.store.postgres_lineage import PROVE, settle_lineage
from keybearer.server.store.postgres_transaction import Boundary, PostgresTransaction, commit, number_events, roll_back

P = ParamSpec("P")
T = TypeVar("T")

_READERS = 8
_WRITERS = 8
_TRIES = 5
# What the server rolled back although the work was right: two met, or a migration went by.
_AGAIN = (asyncpg.TransactionRollbackError, asyncpg.InvalidCachedStatementError)
_NOT_A_SELECT = text("SELECT 1")  # text may do anything, so numbering follows it
_PROVE = text(PROVE)
_CLOCK = select(cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger).label("now"))


class PostgresDatabase:
    """A `Database` on a server, shared by as many nodes as you like."""

    answers_at_once = False

    def __init__(self, address: Address, *, read_only: bool = False) -> None:
        self._boundary = Boundary(address)
        self._read_only = read_only
        self._readers = Connections(address, _READERS, self._settle)
        self._writers = Connections(address, _WRITERS, self._settle)
        self.commits = Commits()
        self._running: set[asyncio.Task[Any]] = set()
        self._listeners = Listeners()
        self._closing = False
        self._proved = ""

    @property
    def waiting(self) -> int:
        """See `Database.waiting`."""
        return max(0, len(self._running) - _WRITERS)

    async def transact(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """
        See `Database.transact`.

        The work runs in a task of its own, out of reach of what cancels its caller: a
        cancelled COMMIT could succeed without its standby.
        """
        return await self._transact(lambda tx: work(tx, *args, **kwargs))

    async def transact_unsynced(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """See `Database.transact_unsynced`."""
        return await self._transact(lambda tx: work(tx, *args, **kwargs), is_synced=False)

    async def _transact(self, work: Callable[[Transaction], Awaitable[T]], *, is_synced: bool = True) -> T:
        if self._closing or self._read_only:
            raise StoreUnavailable(READ_ONLY if self._read_only else "the database is closed")
        task = asyncio.create_task(self._persist(work, is_synced=is_synced))
        self._running.add(task)
        task.add_done_callback(self._end)
        await asyncio.wait((task,))
        return task.result()

    def _end(self, task: asyncio.Task[Any]) -> None:
        """Look at how it ended, for the case that its caller has gone away."""
        self._running.discard(task)
        task.exception()

    async def _persist(self, work: Callable[[Transaction], Awaitable[T]], *, is_synced: bool) -> T:
        for tries_left in reversed(range(_TRIES)):
            try:
                return await self._attempt(work, is_synced=is_synced)
            except _AGAIN as error:
                if not tries_left:
                    raise StoreUnavailable(f"PostgreSQL: {error!r}") from error
        raise AssertionError

    async def _attempt(self, work: Callable[[Transaction], Awaitable[T]], *, is_synced: bool) -> T:
        connection = await self._writers.take()
        try:
            await self._boundary.begin(connection, is_synced=is_synced)
            tx = PostgresTransaction(connection)
            try:
                returned = await work(tx)
                position = await number_events(connection) if tx.end() and is_synced else None
            except BaseException:
                await roll_back(connection)
                raise
            began = time.perf_counter()
            await commit(connection)
            self.commits.note(time.perf_counter() - began, 1, tx.done)
        finally:
            self._writers.give(connection)
        self._listeners.tell(position)
        return returned

    async def view(self, work: Callable[Concatenate[Reader, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """See `Database.view`."""
        connection = await self._readers.take()
        try:
            await self._boundary.begin(connection, for_reading=True)
            try:
                return await work(PostgresReader(connection), *args, **kwargs)
            finally:
                await roll_back(connection)  # after a refusal, too: a connection in a transaction is not lent again
        finally:
            self._readers.give(connection)

    async def one(self, statement: Executable, /, **values: Any) -> Row | None:
        """See `Database.one`."""
        connection = await self._readers.take()
        try:
            return await PostgresReader(connection).one(statement, **values)
        finally:
            self._readers.give(connection)

    async def many(self, statement: Executable, /, **values: Any) -> list[Row]:
        """See `Database.many`."""
        connection = await self._readers.take()
        try:
            return await PostgresReader(connection).many(statement, **values)
        finally:
            self._readers.give(connection)

    def change_mark(self) -> int | None:
        """See `Database.change_mark`."""
        return None

    async def position(self) -> EpochAndSeq:
        """See `Database.position`."""
        return await read_position(self)

    async def settle_lineage(self) -> None:
        """See `Database.settle_lineage`."""
        connection = await self._readers.take()
        try:
            await self._settle(connection)
        finally:
            self._readers.give(connection)

    async def _settle(self, connection: Link) -> None:
        if not self._read_only:
            self._listeners.tell(await settle_lineage(connection, self._boundary))

    async def pass_barrier(self) -> str:
        """See `Database.pass_barrier`."""
        await self.settle_lineage()
        epoch = await self.transact(_prove)
        if epoch != self._proved:
            self._proved = epoch
            self._readers.renew()
            self._writers.renew()
        return epoch

    async def clock(self) -> int:
        """See `Database.clock`."""
        row = await self.one(_CLOCK)
        assert row is not None  # noqa: S101 - a select without a table has one row
        return int(row["now"])

    async def number_stray_events(self) -> EpochAndSeq:
        """See `Database.number_stray_events`."""
        await self.transact(_seem_to_write)
        return await self.position()

    def on_commit(self, callback: Callable[[EpochAndSeq], None]) -> None:
        """See `Database.on_commit`."""
        self._listeners.add(callback)

    async def close(self) -> None:
        """See `Database.close`."""
        self._closing = True
        while self._running:
            await asyncio.wait(self._running)
        await self._writers.close()
        await self._readers.close()


async def _seem_to_write(tx: Transaction) -> None:
    await tx.many(_NOT_A_SELECT)


async def _prove(tx: Transaction) -> str:
    head = await tx.one(_PROVE)
    if head is None or head["is_elsewhere"]:
        raise StoreUnavailable("PostgreSQL: this server is another than the one that the feed is written in")
    epoch: str = head["epoch"]
    return epoch


async def open_postgres(url: str, *, read_only: bool = False) -> PostgresDatabase:
    """Open the database at *url*; see `open_database`."""
    database = PostgresDatabase(Address.parse(url), read_only=read_only)
    await database.position()  # so that a wrong address is known now
    return database
