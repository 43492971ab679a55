"""PostgreSQL connections: opened with our settings, held ready, errors translated into our own."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from keybearer.server.store.database import Row
from keybearer.server.store.faults import Conflict, StoreUnavailable
from keybearer.server.store.rows import only
from keybearer.server.store.statements import Statements

Link: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

STATEMENTS = Statements(asyncpg_dialect())  # type: ignore[no-untyped-call]

_CONNECT_S = 5.0
_ANSWER_S = 30.0  # the client's own limit, for a server that does not answer at all
_WAIT_S = 10.0  # for one of our own connections to be free
_CACHED_STATEMENTS = 1_024
# A role or database set to other values must not undo what acknowledgements rest upon. A warning
# on COMMIT says that the standby did not confirm: it must reach us.
SETTINGS = {
    "application_name": "keybearer",
    "client_min_messages": "warning",
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "synchronous_commit": "on",
}

# The driver says so where the server has said good-bye, and the end of the connection has not come yet, or never does.
_OUT_OF_STEP = asyncpg.InternalClientError
_GONE = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, _OUT_OF_STEP)
_UNAVAILABLE = (
    *_GONE,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresIOError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    # A dump is being restored over the database, or it is being migrated, while nodes run.
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedTableError,
)
FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, _OUT_OF_STEP, OSError)


@dataclass(frozen=True, slots=True)
class Address:
    """
    Where the database is, and how it is spoken to.

    Attributes:
        url: as asyncpg takes it.
        statements: how many prepared statements a connection keeps. 0, asked for by
            ``?statement_cache_size=0``, means a pooler sits between that gives each
            transaction another server connection; it also takes no settings at connecting.
    """

    url: str
    statements: int

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Take our own word out of the *url*'s query; the rest is libpq's."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        statements = int(query.pop("statement_cache_size", _CACHED_STATEMENTS))
        return cls(parts._replace(query=urlencode(query)).geturl(), statements)

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler in transaction mode sits between."""
        return self.statements == 0

    async def connect(self) -> Link:
        """
        Open a connection.

        Raises:
            StoreUnavailable: no server answered, or it turned us away.
        """
        try:
            return await asyncpg.connect(
                self.url,
                timeout=_CONNECT_S,
                command_timeout=_ANSWER_S,
                statement_cache_size=self.statements,
                max_cached_statement_lifetime=0,
                server_settings={} if self.is_pooled else SETTINGS,
            )
        except FAULTS as error:
            raise StoreUnavailable(f"PostgreSQL: {error!r}") from error


def name_fault(error: Exception) -> Exception:
    """Return our own error for the driver's *error*; a mistake in a statement stays as it is."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return Conflict(error.constraint_name or f"{error.table_name}.{error.column_name}")
    if isinstance(error, _UNAVAILABLE):
        return StoreUnavailable(f"PostgreSQL: {error!r}")
    return error


def leave_if_gone(connection: Link, error: Exception) -> None:
    """Close a connection, so that nobody borrows it again, if this *error* says that the server has left it."""
    if isinstance(error, _GONE):
        connection.terminate()


class Connections:
    """
    Connections held ready: the one used last goes first, a broken one is replaced.

    asyncpg's own pool resets a connection each time it comes back, a round trip that
    costs two thirds of the rate of look-ups. Nothing here leaves anything to reset.

    Args:
        most: how many there are at once.
        greet: done with each new connection before it is lent.
    """

    def __init__(self, address: Address, most: int, greet: Callable[[Link], Awaitable[None]]) -> None:
        self._address = address
        self._greet = greet
        self._places = asyncio.Semaphore(most)
        self._ready: list[Link] = []
        self._outdated: weakref.WeakSet[Link] = weakref.WeakSet()
        self._made: weakref.WeakSet[Link] = weakref.WeakSet()
        self._closed = False

    async def take(self) -> Link:
        """
        Borrow a connection; it must be given back.

        Raises:
            StoreUnavailable: none is free for too long, or none can be opened.
        """
        if self._places.locked():
            try:
                await asyncio.wait_for(self._places.acquire(), _WAIT_S)
            except TimeoutError as error:
                raise StoreUnavailable("all connections to PostgreSQL are busy") from error
        else:
            await self._places.acquire()
        try:
            return await self._pick()
        except BaseException:
            self._places.release()
            raise

    async def _pick(self) -> Link:
        if self._closed:
            raise StoreUnavailable("the database is closed")
        while self._ready:
            connection = self._ready.pop()
            if not connection.is_closed():
                return connection
        connection = await self._address.connect()
        try:
            await self._greet(connection)
        except BaseException:
            connection.terminate()
            raise
        self._made.add(connection)
        return connection

    def renew(self) -> None:
        """Let go of every connection made until now, of a borrowed one as it comes back: another server may answer."""
        self._outdated |= self._made
        while self._ready:
            self._ready.pop().terminate()

    def give(self, connection: Link) -> None:
        """Take a borrowed connection back; in the middle of a transaction it cannot be used again."""
        self._places.release()
        if connection.is_closed():
            return
        if self._closed or connection in self._outdated or connection.is_in_transaction():
            connection.terminate()
        else:
            self._ready.append(connection)

    async def close(self) -> None:
        """Close what is ready now, and what is borrowed as it comes back."""
        self._closed = True
        while self._ready:
            await self._ready.pop().close(timeout=_CONNECT_S)


class PostgresReader:
    """A Reader on a borrowed connection."""

    def __init__(self, connection: Link) -> None:
        self._connection = connection

    async def one(self, statement: Executable, /, **values: Any) -> Row | None:
        """See `database.Reader.one`."""
        return only(await self._fetch(statement, values), statement)

    async def many(self, statement: Executable, /, **values: Any) -> list[Row]:
        """See `database.Reader.many`."""
        return await self._fetch(statement, values)

    async def _fetch(self, statement: Executable, values: Mapping[str, Any]) -> list[Row]:
        text, given = STATEMENTS.bind(statement, values)
        try:
            return [dict(record) for record in await self._connection.fetch(text, *given)]
        except FAULTS as error:
            leave_if_gone(self._connection, error)
            raise name_fault(error) from error
        except asyncio.CancelledError:
            self._connection.terminate()  # whoever gave up may have done so because nobody is there any more
            raise
