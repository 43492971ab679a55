"""One transaction of PostgreSQL: begun, run, its events numbered last, committed or rolled back."""

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Executable, Select, Table

from keybearer.server.store.database import EpochAndSeq, Row
from keybearer.server.store.faults import OutcomeUnknown, StoreUnavailable
from keybearer.server.store.feed_numbering import POSTGRES_CALL
from keybearer.server.store.many_rows import by_arrays, is_plain_insert
from keybearer.server.store.postgres_connections import (
    FAULTS,
    SETTINGS,
    STATEMENTS,
    Address,
    Link,
    leave_if_gone,
    name_fault,
)
from keybearer.server.store.rows import only

T = TypeVar("T")

_COMMIT_S = 10.0  # then a standby that it waits for is taken to be away
_LEAVE_S = 2.0


class PostgresTransaction:
    """A Transaction on a borrowed connection."""

    def __init__(self, connection: Link) -> None:
        self._connection = connection
        self.fault: BaseException | None = None
        self.has_written = False
        self.done: list[str] = []

    async def one(self, statement: Executable, /, **values: Any) -> Row | None:
        """See `database.Reader.one`."""
        return only(await self.many(statement, **values), statement)

    async def many(self, statement: Executable, /, **values: Any) -> list[Row]:
        """See `database.Reader.many`."""
        text, given = self._prepare(statement, values)
        return [dict(record) for record in await self._carried_out(self._connection.fetch(text, *given))]

    async def run(self, statement: Executable, /, **values: Any) -> int:
        """See `database.Transaction.run`."""
        text, given = self._prepare(statement, values)
        status = await self._carried_out(self._connection.execute(text, *given))
        return int(status.rpartition(" ")[2])

    async def run_all(self, statement: Executable, rows: Sequence[Mapping[str, Any]], /) -> None:
        """See `database.Transaction.run_all`."""
        if not rows:
            return
        self._expect(statement)
        text, given = STATEMENTS.bind_all(statement, rows)
        if len(rows) > 1 and is_plain_insert(statement):
            several, arrays = by_arrays(text, given)
            await self._carried_out(self._connection.execute(several, *arrays))
        else:
            await self._carried_out(self._connection.executemany(text, given))

    async def load(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], /) -> None:
        """See `database.Transaction.load`."""
        if self.fault is not None:
            raise self.fault
        if not rows:
            return
        self.has_written = True
        await self._carried_out(self._connection.copy_records_to_table(table.name, records=rows, columns=columns))

    def end(self) -> bool:
        """
        Take no more statements, and tell whether there may be something to number.

        Raises:
            Exception: a statement failed and the work went on as if it had not.
        """
        if self.fault is not None:
            raise self.fault
        self.fault = RuntimeError("this transaction is over")
        return self.has_written

    async def _carried_out(self, call: Coroutine[Any, Any, T]) -> T:
        """Return what a call of the driver gives; after a fault the transaction takes nothing more."""
        try:
            return await call
        except FAULTS as error:
            self.fault = name_fault(error)
            raise self.fault from error

    def _prepare(self, statement: Executable, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        self._expect(statement)
        return STATEMENTS.bind(statement, values)

    def _expect(self, statement: Executable) -> None:
        if self.fault is not None:
            raise self.fault
        self.has_written = self.has_written or not isinstance(statement, Select)


class Boundary:
    """
    The statements at both ends of a transaction.

    Behind a pooler no setting outlasts a transaction, so each one brings its own.
    """

    def __init__(self, address: Address) -> None:
        local = (
            "".join(f"; SET LOCAL {name} = '{value}'" for name, value in SETTINGS.items()) if address.is_pooled else ""
        )
        self._begin = f"BEGIN ISOLATION LEVEL READ COMMITTED{local}"
        self._unsynced = f"{self._begin}; SET LOCAL synchronous_commit = 'off'"
        self._snapshot = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY{local}"

    async def begin(self, connection: Link, *, for_reading: bool = False, is_synced: bool = True) -> None:
        """
        Open a transaction on *connection*.

        Raises:
            StoreUnavailable: the server is away, or turns it down.
        """
        words = self._snapshot if for_reading else self._begin if is_synced else self._unsynced
        try:
            await connection.execute(words)
        except FAULTS as error:
            leave_if_gone(connection, error)
            raise name_fault(error) from error


async def number_events(connection: Link) -> EpochAndSeq | None:
    """
    Number the events that *connection*'s transaction can see, as its last statement; None if there are none.

    From here on COMMIT waits until what this transaction has seen is safe, even if it has changed nothing.

    Raises:
        StoreUnavailable: the server is away; nothing of the transaction is kept.
    """
    try:
        head = await connection.fetchrow(POSTGRES_CALL)
    except FAULTS as error:
        raise name_fault(error) from error
    return (head["epoch"], head["seq"]) if head and head["epoch"] else None


async def commit(connection: Link) -> None:
    """
    Commit; it has succeeded only if PostgreSQL answers COMMIT, without any notice.

    Raises:
        StoreUnavailable: the server rolled back instead.
        OutcomeUnknown: it failed, took too long, or warned that a standby has not confirmed.

    Source: coherence.md 5.2, S3, and finding 3.
    """
    notices: list[asyncpg.PostgresLogMessage] = []

    def note(_connection: object, message: asyncpg.PostgresLogMessage) -> None:
        notices.append(message)

    connection.add_log_listener(note)
    try:
        status = await connection.execute("COMMIT", timeout=_COMMIT_S)
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.TransactionRollbackError) as error:
        raise name_fault(error) from error  # both say that the transaction was rolled back
    except FAULTS as error:
        await _leave(connection)
        raise OutcomeUnknown(f"PostgreSQL: {error!r}") from error
    finally:
        connection.remove_log_listener(note)
    if notices:
        raise OutcomeUnknown(f"PostgreSQL on COMMIT: {notices}")
    if status != "COMMIT":
        raise StoreUnavailable(f"PostgreSQL answered COMMIT with {status}")


async def _leave(connection: Link) -> None:
    """
    Leave a connection whose COMMIT did not end.

    Closing it, unlike terminating it, lets the driver cancel the COMMIT first: while PostgreSQL waits for a standby it
    does not notice that a client has gone, and would keep the connection, and every lock, until there is one.
    """
    try:
        await connection.close(timeout=_LEAVE_S)
    except FAULTS:
        connection.terminate()


async def roll_back(connection: Link) -> None:
    """Roll back, or let the server do so by leaving it."""
    try:
        await connection.execute("ROLLBACK")
    except BaseException as error:
        connection.terminate()
        if not isinstance(error, FAULTS):
            raise
