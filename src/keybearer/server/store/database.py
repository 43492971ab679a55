"""The one small async interface through which all SQL goes, and the opening of the database behind it."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from sqlalchemy import Executable, Table

from keybearer.server.store.commits import Commits

P = ParamSpec("P")
T = TypeVar("T")

Row = Mapping[str, Any]
EpochAndSeq = tuple[str, int]
"""The feed's head: its epoch and the number of its newest event."""


class Reader(Protocol):
    """Reads rows; inside a view all readings are of one moment."""

    async def one(self, statement: Executable, /, **values: Any) -> Row | None:
        """
        Run *statement* and give its only row, or None.

        Args:
            statement: a SQLAlchemy Core expression made once, at module level.
            values: one for each of its bind parameters; int, str, bytes or None.

        Raises:
            ValueError: it has more than one row.
        """

    async def many(self, statement: Executable, /, **values: Any) -> list[Row]:
        """Run *statement* and give all its rows, in the order the statement asks for."""


class Transaction(Reader, Protocol):
    """
    Reads and changes rows; what it changes is kept as a whole or not at all.

    Returning from the work commits, raising rolls back. A work that met a fault of the
    store cannot go on in either database: let it rise.

    Attributes:
        done: what the work says that it does, in the words of `activities.ACTIONS`: counted once it is kept.
    """

    done: list[str]

    async def run(self, statement: Executable, /, **values: Any) -> int:
        """Run *statement* and give the number of rows it touched."""

    async def run_all(self, statement: Executable, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Run *statement* once for each of *rows*, which are its values; all of them go to the database at once."""

    async def load(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], /) -> None:
        """Add many *rows*, the values of these *columns*, to *table* in the quickest way that the database has."""


class Database(Protocol):
    """
    One open database: SQLite or PostgreSQL.

    Attributes:
        answers_at_once: its look-ups take microseconds, and no other task runs meanwhile.
        commits: those of this process.
    """

    answers_at_once: bool
    commits: Commits

    @property
    def waiting(self) -> int:
        """How many transactions of this process are not begun yet."""

    async def transact(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """
        Run *work* in a transaction and return what it returned, once that is durable.

        Works may be grouped into one commit, and may be run again from their start, so a work
        does nothing but talk to its transaction. What is slow is done before. A caller who is
        cancelled meanwhile leaves the work whole: kept or rolled back.

        Raises:
            Conflict: the tables' own rules forbid it.
            StoreUnavailable: nothing was kept.
            OutcomeUnknown: nobody can say whether it was kept.
        """

    async def transact_unsynced(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """
        Run *work* as `transact` does, but wait neither for a disk nor for a standby.

        The end of a process does not lose it. A power cut may, until the next `transact` has ended, which makes all
        before it durable. So the work must not change anything that the feed tells of: events are not numbered with it.
        """

    async def view(self, work: Callable[Concatenate[Reader, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run *work* on one unchanging snapshot of the database and give what it returned; it cannot write."""

    async def one(self, statement: Executable, /, **values: Any) -> Row | None:
        """Look up one row outside any transaction, newest state; see `Reader.one`."""

    async def many(self, statement: Executable, /, **values: Any) -> list[Row]:
        """Look up rows outside any transaction, newest state; see `Reader.many`."""

    def change_mark(self) -> int | None:
        """Return a number that is another one after every commit of anybody; None if only a look-up can tell."""

    async def position(self) -> EpochAndSeq:
        """Tell the feed's epoch and the number of its newest event."""

    async def settle_lineage(self) -> None:
        """
        Begin a new epoch of the feed if this is not the store that it was written in: one restored, or failed over to.

        Opening a database and each new connection do so by themselves; whoever answers verifiers asks again before.

        Raises:
            StoreUnavailable: the store is a standby, or was put into the place of the one that was opened.

        Source: coherence.md 5.2, S5.
        """

    async def pass_barrier(self) -> str:
        """
        Commit what changes nothing, with the quorum's acknowledgement: proof that no other store has taken over.

        Returns:
            The feed's epoch in the store that has proved it; connections to any other store are closed.

        Raises:
            StoreUnavailable: the quorum did not answer, so another may have.

        Source: coherence.md 5.3, N1 (b).
        """

    async def clock(self) -> int | None:
        """Tell the time on its own clock, microseconds since 1970 UTC; None if it goes by this machine's."""

    async def number_stray_events(self) -> EpochAndSeq:
        """Number the events that raw SQL left without a number, and tell the position then."""

    def on_commit(self, callback: Callable[[EpochAndSeq], None]) -> None:
        """
        Call *callback* with the new position after each commit of this process that numbered events.

        It is called before the works of that commit are acknowledged, so what it does has effect on whatever their
        callers do next. It must be quick. Two commits at the same moment may be told in either order, so a callback
        ignores a number that is not higher than the last.
        """

    async def close(self) -> None:
        """Finish the works that were handed in, refuse new ones, and let the files or connections go."""


def at_once(look_up: Coroutine[Any, Any, T]) -> T:
    """
    Return what a look-up tells, without an event loop.

    Args:
        look_up: of a database that `answers_at_once`: no other task runs meanwhile, so there is nothing to wait for.
    """
    try:
        look_up.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
    look_up.close()
    raise RuntimeError("a look-up waits, in a database that answers at once")


READ_ONLY: Final = "this database was opened read-only"


async def open_database(url: str, *, read_only: bool = False) -> Database:
    """
    Open the database at *url*; its tables must be there already.

    Args:
        url: ``sqlite:///relative/path``, ``sqlite:////absolute/path`` or ``postgresql://…``.
        read_only: it refuses transactions, and its lineage is not settled: a restored copy that is only looked at
            keeps its epoch.

    Raises:
        StoreUnavailable: it cannot be reached or opened.
        ValueError: the URL names neither SQLite nor PostgreSQL.
    """
    # Each driver is imported only where it is used: an embedded node carries no asyncpg.
    if url.startswith("sqlite:///"):
        from keybearer.server.store.sqlite import open_sqlite  # noqa: PLC0415

        return await open_sqlite(url.removeprefix("sqlite:///"), read_only=read_only)
    if url.startswith(("postgresql://", "postgres://")):
        from keybearer.server.store.postgres import open_postgres  # noqa: PLC0415

        return await open_postgres(url, read_only=read_only)
    msg = "the database URL must start with sqlite:/// or postgresql://"
    raise ValueError(msg)
