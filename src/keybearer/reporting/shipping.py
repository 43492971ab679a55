"""Shipping: what the spools have is sent in batches, again and again until the server has said what became of it."""

import asyncio
import contextlib
import errno
import json
import logging
import os
import time
from pathlib import Path
from random import SystemRandom
from typing import Final, Protocol

from keybearer.reporting.held_folders import hold, is_unfinished, remove_unfinished
from keybearer.reporting.life import Life
from keybearer.reporting.lines import Broken
from keybearer.reporting.records import Record, line_of
from keybearer.reporting.segment import Unwritable
from keybearer.reporting.spool import Spool

REFUSED: Final = "refused.jsonl"
BROKEN: Final = ".broken"
_EVERY_S: Final = 0.5
_ADOPT_EVERY_S: Final = 10.0
_LONGEST_BACK_OFF_S: Final = 5.0
_PASSING: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_LOG: Final = logging.getLogger("keybearer")


class Destination(Protocol):
    """Where records go."""

    async def reporter(self) -> str:
        """Return whose records these are, a resource server's id; raise `Undelivered` if nobody says."""

    async def take(self, records: list[Record], reporter: str) -> list[tuple[Record, str]]:
        """
        Keep these records, each once.

        Returns:
            Those that will never be kept, and why.

        Raises:
            Undelivered: it is not known what became of them.
        """


class Undelivered(Exception):
    """It is not known whether the server has the batch: it is sent again."""


class Shipper:
    """
    Ships what this process's spool has, and what processes that have ended left behind.

    Args:
        root: the folder that has a folder for each life of a process.
        spool: this process's.
    """

    def __init__(self, root: Path, spool: Spool, destination: Destination) -> None:
        self.trouble: str | None = None
        self._root = root
        self._spool = spool
        self._destination = destination
        self._own = Life(spool.folder, spool=spool)
        self._lives = [self._own]
        self._turn = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._many_wait = asyncio.Event()
        self._adopt_at = 0.0
        self._unfinished: set[Path] = set()
        self._failures = 0
        self._behind_since: float | None = None

    @property
    def file(self) -> int:
        """The number of this process's oldest file that is not shipped."""
        return self._own.file

    @property
    def through(self) -> int:
        """The number of this process's last record that is shipped; 0 before the first."""
        return self._own.through

    @property
    def is_through(self) -> bool:
        """Whether this process's spool has nothing left."""
        return self._own in self._lives and self.trouble is None and not self._own.batch()

    @property
    def behind_s(self) -> float:
        """For how many seconds there have been records that the server would not take."""
        return 0.0 if self._behind_since is None else time.monotonic() - self._behind_since

    async def run(self) -> None:
        """Ship without an end."""
        random = SystemRandom()
        while True:
            self._many_wait.clear()
            try:
                await self.ship()
            except Exception:  # noqa: BLE001 - an edge: if this loop ended, nothing would be reported any more
                _LOG.exception("the reporter failed at one batch; it goes on")
                self._failed("it failed at one batch")
            await self._rest(random.uniform(0.5, 1.0))

    def hurry(self) -> None:
        """Ship soon: many wait. From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the next process ships them
            self._loop.call_soon_threadsafe(self._many_wait.set)

    async def ship(self) -> None:
        """Ship what there is at the moment; one at a time does."""
        async with self._turn:
            await self._ship_all()

    async def _rest(self, share: float) -> None:
        """Wait for more, or until it is worth another try: many that wait do not make the server come back."""
        if self._failures:
            await asyncio.sleep(share * min(_LONGEST_BACK_OFF_S, _EVERY_S * 2.0 ** min(self._failures - 1, 8)))
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(share * _EVERY_S):
                await self._many_wait.wait()

    async def _ship_all(self) -> None:
        """Ship what there is; what comes meanwhile waits for the next turn: a batch has its cost, however small."""
        waits, newest = "", self._spool.over
        try:
            self._adopt()
        except OSError as error:  # the folder is gone; what memory has is shipped all the same
            waits = f"{self._root}: {error.strerror or error}"
        for life in list(self._lives):
            try:
                while await self._ship(life, newest):
                    pass
            except (Undelivered, Unwritable) as error:
                self._failed(str(error))
                return
            except Broken as error:
                self._set_aside(life, error)
            except OSError as error:
                if life.is_over and error.errno not in _PASSING:
                    self._set_aside(life, error)
                else:
                    waits = f"{life.folder}: {error.strerror or error}"
        if waits:
            self._failed(waits)
            return
        self._failures, self._behind_since = 0, None
        if self.trouble is not None:
            _LOG.info("activities are reported again")
            self.trouble = None

    def renew(self, spool: Spool, held: int) -> None:
        """
        Go on with another spool of this process.

        Args:
            held: the hold of the folder of the one before.
        """
        self._own.end(held)
        if self._own not in self._lives:  # it was set aside
            self._own.let_go()
        self._spool = spool
        self._own = Life(spool.folder, spool=spool)
        self._lives.append(self._own)

    def close(self) -> None:
        """Let go of what was not shipped: another process does it."""
        for life in self._lives:
            life.let_go()

    def _adopt(self) -> None:
        """Take over what processes left behind that are not there any more."""
        if time.monotonic() < self._adopt_at:
            return
        folders = {folder for folder in self._root.iterdir() if folder.is_dir() and folder.suffix != BROKEN}
        unfinished = {folder for folder in folders if is_unfinished(folder)}
        for folder in unfinished & self._unfinished:  # one that is being made now was not there the last time
            remove_unfinished(folder)
        self._unfinished = unfinished
        for folder in sorted(folders - unfinished - {life.folder for life in self._lives} - {self._spool.folder}):
            try:
                held = hold(folder)
            except FileNotFoundError:
                continue  # another process has just shipped and removed it
            if held is not None:
                self._lives.append(Life(folder, held))
        self._adopt_at = time.monotonic() + _ADOPT_EVERY_S

    async def _ship(self, life: Life, newest: int) -> bool:
        """Ship a batch of a life; return whether there may be another, in our own up to the record *newest*."""
        batch = life.batch()
        if not batch:
            if life.is_over:
                life.remove()
                self._lives.remove(life)
            return False
        reporter = await self._destination.reporter()
        if life.owner(reporter) != reporter:
            raise Broken(f"it has been reported as another's than {reporter}'s, with another key")
        for record, why in await self._destination.take(batch, reporter):
            self._refused(record, reporter, why)
        life.shipped()
        return life.is_over or life.through < newest

    def _refused(self, record: Record, reporter: str, why: str) -> None:
        """Keep what the server will never take: nothing is lost without a word."""
        _LOG.error("a record was refused (call %s of %s): %s", record.intent.request_id, record.boot, why)
        with open(self._root / REFUSED, "ab", opener=_for_its_owner) as file:
            file.write(json.dumps({"why": why, "line": line_of(record, reporter).decode()}).encode() + b"\n")

    def _set_aside(self, life: Life, error: Exception) -> None:
        """Leave what cannot be shipped to people: here, or where the process that is alive goes on writing it."""
        self._lives.remove(life)
        if life.is_over:
            with contextlib.suppress(FileNotFoundError):  # somebody deleted it
                life.folder.rename(life.folder.with_suffix(BROKEN))
            life.let_go()
        _LOG.error("what is in %s cannot be reported, and is left there: %s", life.folder, error)

    def _failed(self, why: str) -> None:
        self._failures += 1
        self._behind_since = self._behind_since or time.monotonic()
        if self.trouble is None:
            _LOG.warning("activities cannot be reported at the moment: %s", why)
        self.trouble = why


def _for_its_owner(path: str, flags: int) -> int:
    """Open a file that nobody else can read: addresses stand in it."""
    return os.open(path, flags, 0o600)
