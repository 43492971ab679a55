"""The reporter: keeps that a call is about to be handled, and what became of it, and ships both."""

import asyncio
import contextlib
import functools
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from keybearer.reporting.asked import Asked, request_id_of
from keybearer.reporting.callers import caller_of
from keybearer.reporting.calls import Call
from keybearer.reporting.lines import Intent, Outcome, Whole
from keybearer.reporting.renewal import Renewal, new_spool
from keybearer.reporting.salts import salts
from keybearer.reporting.segment import Unwritable
from keybearer.reporting.shipping import Destination, Shipper
from keybearer.reporting.spool import SEGMENT_BYTES, Spool
from keybearer.reporting.syncing import Syncing
from keybearer.wire.activity_keys import LATENCIES_MS
from keybearer.wire.denial import Bearer

_SYNC_EVERY_S: Final = 1.0
_MANY: Final = 1_000  # two batches; a quarter of what memory has, so that they need not be read back
_SAFE_METHODS: Final = ("GET", "HEAD")
_LOG: Final = logging.getLogger("keybearer")


@dataclass(frozen=True, slots=True)
class ActivityLog:
    """
    How an API reports what was done with tokens.

    Args:
        folder: a directory of the API's own, on a disk that stays: what has not been shipped waits there.
        mode: ``durable``: an answer leaves only when its record is on the disk, and no record is ever lost.
            ``buffered``: it survives the end of the process, but a power cut may take the last second's.
        most_bytes: how much may wait; more, and calls are answered 503.
        longest_s: how long a server may take nothing; longer, and calls are answered 503.
        serve_unrecorded_reads: serve GET and HEAD although they cannot be recorded.
    """

    folder: str | Path
    mode: Literal["durable", "buffered"] = "buffered"
    most_bytes: int = 256 * 2**20
    longest_s: float = 3_600.0
    serve_unrecorded_reads: bool = False


class Reporter:
    """
    Records calls, from any thread; it belongs to one process.

    Args:
        log: how.
        now: microseconds since 1970 UTC.

    Raises:
        ValueError: the folder cannot be written.
    """

    def __init__(self, log: ActivityLog, now: Callable[[], int]) -> None:
        self._log = log
        self._now = now
        self._is_durable = log.mode == "durable"
        self._root = Path(log.folder)
        try:
            self._spool = new_spool(self._root)
        except Unwritable as error:
            raise ValueError(f"activities cannot be kept: {error}") from error
        self._syncing = Syncing(self._spool)
        self._renewal = Renewal(self._root)
        self._shipper: Shipper | None = None
        self._numbers = itertools.count(1)
        self._warned_at = -1
        self._hurry_at = _MANY

    @property
    def trouble(self) -> str | None:
        """Why records do not get to the server; None if they do."""
        return None if self._shipper is None else self._shipper.trouble

    @property
    def waiting(self) -> int:
        """How many calls of this process are over whose records the server does not have yet."""
        return self._spool.over - (0 if self._shipper is None else self._shipper.through)

    @property
    def behind_s(self) -> float:
        """For how many seconds there have been records that the server would not take."""
        return 0.0 if self._shipper is None else self._shipper.behind_s

    def begin(self, bearer: Bearer, asked: Asked) -> Call:
        """
        Keep that a call is about to be handled.

        Raises:
            Unwritable: it cannot be recorded, so it must not be served.
        """
        intent = self._intent(bearer, asked)
        spool = self._spool  # where it has begun it must end, whatever comes in its place meanwhile
        try:
            self._demand_room()
            spool.begin(intent)
        except Unwritable as error:
            self._warn(error)
            if not self._log.serve_unrecorded_reads or asked.method not in _SAFE_METHODS:
                raise
            return Call(functools.partial(self._finish, spool), None)
        return Call(functools.partial(self._finish, spool), intent.call)

    def begin_read(self, bearer: Bearer, asked: Asked) -> Call:
        """
        Begin a call that changes nothing: it is kept in one line when it is over, before it is answered.

        Raises:
            Unwritable: it could not be recorded, so it must not be served.
        """
        self._demand_room()
        intent = self._intent(bearer, asked)
        return Call(lambda outcome: self._finish(self._spool, Whole(intent, outcome)), intent.call)

    def keep_read(self, bearer: Bearer, asked: Asked, status: int, words: str | None) -> None:
        """
        Keep a call that is done, took no time worth speaking of and changed nothing; as `begin_read` and its end do.

        Args:
            words: what is said beside, if anything is, as `keybearer.wire.activity.words_text` writes it.

        Raises:
            Unwritable: it is not kept, so it must not be answered.
        """
        self._demand_room()
        intent = self._intent(bearer, asked)
        outcome = Outcome(intent.call, "done", status=status, ms=LATENCIES_MS[0], words=words, salt=words and salts(1))
        self._finish(self._spool, Whole(intent, outcome))

    async def kept(self, appended: int) -> None:
        """
        Return when the answer may leave: what was appended until then is as safe as the mode promises.

        Args:
            appended: what `Call.finish` returned.

        Raises:
            Unwritable: it is not, so the call must not be answered.
        """
        if appended:
            await self._syncing.reached(appended)

    def wait_kept(self, appended: int) -> None:
        """Return when the answer may leave; as `kept`, for threads."""
        if appended:
            self._syncing.wait(appended)

    async def ship(self, destination: Destination) -> None:
        """Ship without an end."""
        self._shipper = shipper = Shipper(self._root, self._spool, destination)
        syncing = asyncio.create_task(self._sync_often(shipper))
        try:
            await shipper.run()
        finally:
            syncing.cancel()
            shipper.close()

    async def flush(self, longest_s: float) -> None:
        """Ship what there is now; what cannot be within *longest_s* seconds is shipped by the next process."""
        if self._shipper is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(longest_s):
                    await self._shipper.ship()

    def close(self) -> None:
        """End it."""
        self._renewal.close()
        self._syncing.close()
        self._spool.close(is_shipped=self._shipper is not None and self._shipper.is_through)

    def leave_to_parent(self) -> None:
        """End it in a child process: the files are its parent's."""
        self._spool.close(is_forked=True)

    def _finish(self, spool: Spool, outcome: Outcome | Whole) -> int:
        """Keep what became of a call; return what `kept` waits for, 0 if nothing has to wait."""
        try:
            appended = spool.finish(outcome)
        except Unwritable as error:
            self._warn(error)
            raise
        if spool.full:
            self._syncing.want()  # by its thread, while others are served here
        if self._spool.over >= self._hurry_at:
            self._hurry()
        return appended if self._is_durable else 0

    def _hurry(self) -> None:
        """Have what waits shipped before its time if it is that many, and look again when it may be."""
        over, waiting = self._spool.over, self.waiting
        self._hurry_at = over + (_MANY if waiting >= _MANY else _MANY - waiting)
        if self._shipper is not None and waiting >= _MANY:
            self._shipper.hurry()

    def _warn(self, error: Unwritable) -> None:
        """Tell that a call cannot be recorded; once, until one can."""
        if self._warned_at != self._spool.appended:
            self._warned_at = self._spool.appended
            _LOG.warning("calls cannot be recorded at the moment: %s", error)

    def _intent(self, bearer: Bearer, asked: Asked) -> Intent:
        caller = caller_of(bearer, asked)
        personal = 1 + (caller.address is not None) + (caller.agent is not None)
        request_id = request_id_of(asked.request_id)
        return Intent(next(self._numbers), self._now(), caller, request_id, salts(personal))

    def _demand_room(self) -> None:
        """Raise `Unwritable` if more is waiting than may wait, or for longer, or no answer may leave anyway."""
        if self._is_durable and self._syncing.trouble is not None:
            raise Unwritable(str(self._syncing.trouble))  # a new one: each raise keeps the frames that it went through
        shipper = self._shipper
        if shipper is None:
            return
        if shipper.behind_s > self._log.longest_s:
            raise Unwritable(f"nothing was taken for {shipper.behind_s:.0f} s ({shipper.trouble})")
        if (self._spool.file - shipper.file) * SEGMENT_BYTES > self._log.most_bytes:
            raise Unwritable(f"more than {self._log.most_bytes} bytes wait to be taken ({shipper.trouble})")

    async def _sync_often(self, shipper: Shipper) -> None:
        """Have the disk get what is buffered, so that a power cut takes no more than a second's."""
        while True:
            await asyncio.sleep(_SYNC_EVERY_S)
            try:
                if self._syncing.trouble is None:
                    self._syncing.want()
                elif spool := self._renewal.spool():
                    self._renew(self._syncing.trouble, spool, shipper)
            except RuntimeError as error:
                _LOG.warning("what is recorded waits for the disk: %s", error)  # there can be no more threads now

    def _renew(self, why: Unwritable, spool: Spool, shipper: Shipper) -> None:
        """
        Go on in another spool, which the disk has taken, as after a start: what is in the old one is shipped as it is.

        Between the lines below a call may end in one spool, and ask the other's sync: which tells it that nothing is
        safe.
        """
        held = self._spool.end(why)
        spool.follow(self._spool.appended)
        self._syncing.close()
        self._spool, self._syncing, self._hurry_at = spool, Syncing(spool), _MANY
        shipper.renew(spool, held)
        _LOG.warning("the disk takes again what is recorded, in %s", spool.folder)
