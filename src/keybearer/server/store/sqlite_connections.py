"""SQLite connections: opened with our settings, statements run on them, errors translated into our own."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, TypeVarTuple

import apsw
from sqlalchemy import Executable, Table
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from keybearer.server.store import tables
from keybearer.server.store.database import Row
from keybearer.server.store.faults import Conflict, StoreFault, StoreUnavailable
from keybearer.server.store.many_rows import by_values, is_plain_insert
from keybearer.server.store.rows import only
from keybearer.server.store.statements import Statements, constraint_names

Given = TypeVarTuple("Given")
T = TypeVar("T")

# Faults of the machine, not of the statement: after one of them nothing of the transaction can be relied upon.
_MACHINE = (
    apsw.AuthError,
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.ConnectionClosedError,
    apsw.CorruptError,
    apsw.CursorClosedError,
    apsw.FullError,
    apsw.InterruptError,
    apsw.IOError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.NotADBError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
)
_BROKEN = re.compile(r"(UNIQUE|NOT NULL|CHECK) constraint failed: (?:index ')?([^']+)")
_NAMES = constraint_names(tables.metadata)
_READER_BUSY_MS = 2_000

STATEMENTS = Statements(SQLiteDialect(paramstyle="qmark"))


def open_connection(path: str) -> apsw.Connection:
    """
    Open the existing database file at *path*.

    Nothing is checkpointed behind anybody's back: the writer does that in its quiet moments.

    Raises:
        StoreUnavailable: there is no such file, or it is not a database.
    """
    try:
        connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
        connection.wal_autocheckpoint(0)
        # A statement on a table with a partial index is otherwise planned again for each value that it is given.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        connection.pragma("foreign_keys", True)
        connection.pragma("synchronous", "FULL")
        connection.pragma("trusted_schema", False)
    except apsw.Error as error:
        raise name_fault(error) from error
    return connection


def open_reader(path: str) -> apsw.Connection:
    """Open a connection that cannot write."""
    connection = open_connection(path)
    connection.set_busy_timeout(_READER_BUSY_MS)
    connection.pragma("query_only", True)
    return connection


def name_fault(error: apsw.Error) -> Exception:
    """Return our own error for the driver's *error*; a mistake in a statement stays as it is."""
    if isinstance(error, apsw.ConstraintError):
        return Conflict(_constraint(str(error)))
    if isinstance(error, _MACHINE):
        return StoreUnavailable(f"SQLite: {error!r}")
    return error


def _constraint(message: str) -> str:
    """
    Find the constraint's name in what SQLite says of it.

    Check rules are told by name, uniqueness by its columns, a column that may not be null
    as ``table.column``; of a foreign key nothing is told.
    """
    broken = _BROKEN.search(message)
    if broken is None:
        return "foreign key" if "FOREIGN KEY" in message else message
    return _NAMES.get(frozenset(broken[2].split(", ")), broken[2]) if broken[1] == "UNIQUE" else broken[2]


class Rows:
    """
    Runs statements on one connection, at once and to their end: an unfinished cursor would freeze its view.

    What the driver raises comes out of all of it as `name_fault` has it.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self._cursor = connection.cursor()
        self._names: dict[str, tuple[str, ...]] = {}

    def fetch(self, statement: Executable, values: Mapping[str, Any]) -> list[Row]:
        """Run *statement* and give all its rows."""
        text, given = STATEMENTS.bind(statement, values)
        cursor = self._cursor
        try:
            cursor.execute(text, given)
            names = self._names.get(text) or self._learn(text)
            rows = cursor.fetchall()
        except apsw.Error as error:
            raise name_fault(error) from error
        return [dict(zip(names, row, strict=True)) for row in rows]

    def execute(self, statement: Executable, values: Mapping[str, Any]) -> int:
        """Run *statement* and give the number of rows it touched."""
        text, given = STATEMENTS.bind(statement, values)
        try:
            self._cursor.execute(text, given).fetchall()
        except apsw.Error as error:
            raise name_fault(error) from error
        return self.connection.changes()

    def execute_all(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run *statement* once for each of *rows*."""
        if not rows:
            return
        text, given = STATEMENTS.bind_all(statement, rows)
        if is_plain_insert(statement):
            self._insert(text, given)
            return
        try:
            self._cursor.executemany(text, given).fetchall()
        except apsw.Error as error:
            raise name_fault(error) from error

    def load(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """
        Add *rows* to *table*.

        After a conflict some of them are there, as after a statement for each row: what has met one is rolled back in
        any case, so SQLite need not note for each statement how to undo it.
        """
        if not rows:
            return
        text = f"INSERT OR FAIL INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names out of our own tables
        self._insert(text, rows)

    def fetch_one(self, statement: Executable, values: Mapping[str, Any]) -> Row | None:
        """Run *statement* and give its only row, or None."""
        return only(self.fetch(statement, values), statement)

    def _insert(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        try:
            for several, values in by_values(text, rows):
                self._cursor.execute(several, values)
        except apsw.Error as error:
            raise name_fault(error) from error

    def _learn(self, text: str) -> tuple[str, ...]:
        try:
            names = tuple(column[0] for column in self._cursor.get_description())
        except apsw.ExecutionCompleteError:
            return ()  # no rows, so no names are needed; the next time may have some
        self._names[text] = names
        return names


class SqliteReader:
    """A Reader on one connection; it never makes its caller wait for another task."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._rows = Rows(connection)

    async def one(self, statement: Executable, /, **values: Any) -> Row | None:
        """See `database.Reader.one`."""
        return self._rows.fetch_one(statement, values)

    async def many(self, statement: Executable, /, **values: Any) -> list[Row]:
        """See `database.Reader.many`."""
        return self._rows.fetch(statement, values)

    def data_version(self) -> int:
        """
        Return a number that is another one after each commit by other connections, of this process or another.

        As a statement, which stays prepared; the driver's own function of that name does not see others' commits.
        """
        try:
            version: int = self._rows.connection.execute("PRAGMA data_version").get
        except apsw.Error as error:
            raise name_fault(error) from error
        return version

    def begin(self) -> None:
        """Hold on to one moment of the database until `end`."""
        self._rows.connection.execute("BEGIN")

    def end(self) -> None:
        """Let the moment go; a fault of the disk may have done so already."""
        if self._rows.connection.in_transaction:
            self._rows.connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connection."""
        self._rows.connection.close()


class SqlitePart:
    """One work's part of the writer's transaction."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.fault: BaseException | None = None
        self.done: list[str] = []

    def end(self) -> None:
        """Take no more statements: whoever kept hold of the part must not write into another's."""
        self.fault = RuntimeError("this transaction is over")

    async def one(self, statement: Executable, /, **values: Any) -> Row | None:
        """See `database.Reader.one`."""
        return self._do(self._rows.fetch_one, statement, values)

    async def many(self, statement: Executable, /, **values: Any) -> list[Row]:
        """See `database.Reader.many`."""
        return self._do(self._rows.fetch, statement, values)

    async def run(self, statement: Executable, /, **values: Any) -> int:
        """See `database.Transaction.run`."""
        return self._do(self._rows.execute, statement, values)

    async def run_all(self, statement: Executable, rows: Sequence[Mapping[str, Any]], /) -> None:
        """See `database.Transaction.run_all`."""
        self._do(self._rows.execute_all, statement, rows)

    async def load(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], /) -> None:
        """See `database.Transaction.load`."""
        self._do(self._rows.load, table, columns, rows)

    def _do(self, work: Callable[[*Given], T], *given: *Given) -> T:
        """Do *work*; as in PostgreSQL, a transaction that met a fault takes nothing more."""
        if self.fault is not None:
            raise self.fault
        try:
            return work(*given)
        except (apsw.Error, StoreFault) as error:
            self.fault = error
            raise
