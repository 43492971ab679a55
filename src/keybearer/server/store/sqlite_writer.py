"""Write to SQLite: one connection, its COMMIT and every wait in a thread, so that the event loop goes on."""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import apsw

from keybearer.server.store.database import READ_ONLY, EpochAndSeq
from keybearer.server.store.faults import NO_HEAD, OutcomeUnknown, StoreUnavailable
from keybearer.server.store.feed_numbering import number
from keybearer.server.store.sqlite_connections import Rows, SqlitePart, open_connection
from keybearer.server.store.sqlite_witness import HeadWitness
from keybearer.wire.feed import Position

_WAIT_S = 10.0  # for another process that is writing
_QUIET_LOG_PAGES = 1_000  # 4 MB
_BUSY_LOG_PAGES = 16_000  # 64 MB; copying it takes some 20 ms, in which nothing is committed

_LOG = logging.getLogger(__name__)

# As bytes: a text that is not UTF-8 cannot even be read.
_PENDING = "SELECT CAST(kind AS BLOB), CAST(subject AS BLOB), at FROM feed_pending ORDER BY pending_id"


class SqliteSession:
    """
    The writing connection, as the group writer drives it.

    Args:
        read_only: it refuses to begin, and leaves the file beside the database alone.
    """

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-commit")
        self._log_pages = 0
        self._numbered: Position | None = None
        self._open()
        try:
            self._witness = None if read_only else HeadWitness(path)
        except StoreUnavailable:
            self._connection.close()
            raise

    def _open(self) -> None:
        self._connection = open_connection(self._path)
        self._connection.pragma("cache_size", -32_000)  # KiB; what a group changes stays in memory until its COMMIT
        self._connection.pragma("temp_store", "MEMORY")
        self._connection.set_wal_hook(self._count_pages)
        self._rows = Rows(self._connection)
        self._part = SqlitePart(self._rows)
        self._is_open = self._is_synced = True

    def _count_pages(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    async def begin(self, *, is_synced: bool = True) -> None:
        """
        Take the file's write lock; while another process has it, wait in the thread.

        Args:
            is_synced: the commit waits for the disk.

        Raises:
            StoreUnavailable: another process keeps it for too long, or the file is only looked at.
        """
        if self._witness is None:
            raise StoreUnavailable(READ_ONLY)
        if not self._is_open:
            await self._in_thread(self._open)
        try:
            if is_synced != self._is_synced:
                self._connection.pragma("synchronous", "FULL" if is_synced else "NORMAL")
                self._is_synced = is_synced
            self._connection.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            await self._in_thread(self._begin_patiently)
        except apsw.Error as error:
            raise StoreUnavailable(f"SQLite: {error!r}") from error

    def _begin_patiently(self) -> None:
        # SQLite's own waiting sleeps for up to 100 ms at a time and starves beside a busy process.
        until = time.monotonic() + _WAIT_S
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except apsw.BusyError as error:
                if time.monotonic() > until:
                    raise StoreUnavailable("another process holds SQLite's write lock") from error
                time.sleep(random.uniform(0.0001, 0.001))  # noqa: S311 - to be out of step, not to be secret
            else:
                return

    async def settle_lineage(self) -> None:
        """
        Begin a new epoch if the file is not the one that was last written here: it was put back, or is new.

        Source: coherence.md 5.2, S5.
        """
        await self.begin()
        head = self._head()
        if self._witness is not None and self._witness.confirms(head):
            self._run("ROLLBACK")
            return
        self._numbered = Position(secrets.token_hex(8), head.seq, head.hash)
        self._run("UPDATE feed_head SET epoch = ?", (self._numbered.epoch,))
        await self.commit()
        if head.seq:  # a new database had no epoch before
            _LOG.info("the feed begins a new epoch, because the file beside the database does not vouch for this one")

    def _head(self) -> Position:
        rows = self._run("SELECT epoch, seq, hash FROM feed_head")
        if not rows:
            raise StoreUnavailable(NO_HEAD)
        return Position(*rows[0])

    def open_part(self) -> SqlitePart:
        """Begin a savepoint."""
        self._run("SAVEPOINT part")
        self._part = SqlitePart(self._rows)
        return self._part

    def keep_part(self) -> None:
        """
        Release the savepoint.

        Raises:
            Exception: a statement in it failed, and the work went on as if it had not.
        """
        if self._part.fault is not None:
            raise self._part.fault
        self._part.end()
        self._run("RELEASE part")

    def drop_part(self) -> None:
        """
        Roll back to the savepoint.

        Raises:
            StoreUnavailable: there was a fault of the machine, or no transaction is left: the whole group is given up.
        """
        fault = self._part.fault
        self._part.end()
        if isinstance(fault, StoreUnavailable) or not self._connection.in_transaction:
            raise StoreUnavailable("SQLite rolled the whole group back") from fault
        self._run("ROLLBACK TO part; RELEASE part")

    def number(self) -> EpochAndSeq | None:
        """Number and chain the group's events in the order in which they were made."""
        pending = self._run(_PENDING)
        if not pending:
            return None
        head = self._head()
        events = list(number(head.seq, head.hash, pending))
        self._run_for_all(
            "INSERT INTO feed (seq, kind, subject, at, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?)", events
        )
        self._run("DELETE FROM feed_pending")
        seq, newest = events[-1][0], events[-1][-1]
        self._run("UPDATE feed_head SET seq = ?, hash = ?", (seq, newest))
        self._numbered = Position(head.epoch, seq, newest)
        return head.epoch, seq

    async def commit(self) -> None:
        """
        Write the group, and sync it to the disk if it began so, in the thread.

        Source: coherence.md, finding 4: a COMMIT that failed may be in the file all the same.
        """
        await self._in_thread(self._commit)

    def _commit(self) -> None:
        if self._witness is not None and self._numbered is not None:
            self._witness.write(self._numbered)
            self._numbered = None
        try:
            self._connection.execute("COMMIT")
        except (apsw.BusyError, apsw.ConstraintError) as error:  # refused before anything was written
            raise StoreUnavailable(f"SQLite refused to commit: {error}") from error
        except apsw.Error as error:
            raise OutcomeUnknown(f"SQLite: {error!r}") from error

    async def renew(self) -> None:
        """Close the connection; the next group opens another."""
        self._is_open = False
        self._numbered = None
        await self._in_thread(self._connection.close, True)

    async def shorten_log(self, *, is_quiet: bool = False) -> None:
        """Copy the write-ahead log into the database file once that is worth it, sooner when nobody waits."""
        if self._log_pages >= (_QUIET_LOG_PAGES if is_quiet else _BUSY_LOG_PAGES):
            self._log_pages = 0
            await self._in_thread(self._checkpoint)

    def _checkpoint(self) -> None:
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.Error as error:  # nothing is lost: the log stays as it is, and the next commit tries again
            _LOG.warning("SQLite's log was not copied: %s", error)

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await self._in_thread(self._connection.close, True)
        if self._witness is not None:
            self._witness.close()
        self._thread.shutdown()

    def _run(self, text: str, given: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(text, given).fetchall()
        except apsw.Error as error:
            raise StoreUnavailable(f"SQLite: {error!r}") from error

    def _run_for_all(self, text: str, rows: list[tuple[Any, ...]]) -> None:
        try:
            self._connection.executemany(text, rows)
        except apsw.Error as error:
            raise StoreUnavailable(f"SQLite: {error!r}") from error

    async def _in_thread(self, task: Callable[..., object], *args: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, task, *args)
