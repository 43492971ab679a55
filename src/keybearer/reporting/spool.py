"""The spool: what one life of a process has to report, in files that outlive it."""

import logging
import os
import shutil
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from keybearer.reporting.held_folders import make_held
from keybearer.reporting.lines import Header, Intent, Outcome, Whole, text_of
from keybearer.reporting.recent import Finished, Recent
from keybearer.reporting.segment import SUFFIX, Segment, Unwritable

SEGMENT_BYTES: Final = 2 * 2**20
_LOG: Final = logging.getLogger("keybearer")


class Spool:
    """
    Appends lines to the files of one life of a process; from any thread.

    A line that was appended survives the process; one that was there at a `sync` survives the machine. A file that is
    long enough is closed, and the calls still under way are said again in the next: so a shipped file can go.

    Args:
        folder: of this life alone; it is made.
        boot: random text that names this life.
        segment_bytes: how long a file gets.
        recent: has the newest calls that are over, so that they need not be read.

    Raises:
        Unwritable: the folder cannot be made.
    """

    def __init__(
        self, folder: Path, boot: str, segment_bytes: int = SEGMENT_BYTES, recent: Recent | None = None
    ) -> None:
        self.folder = folder
        self._boot = boot
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._under_way: dict[int, Intent] = {}
        self.appended = 0  # lines in all
        self._recent = recent or Recent()
        self.file = 1
        self.full: list[Segment] = []
        """Files that are not written any more, and that no `sync` has seen since."""
        self._failure: Unwritable | None = None
        self._ended: Unwritable | None = None
        self._held = _made(folder)
        try:
            self._segment = self._begun(self.file)
        except BaseException:
            _remove(folder, self._held)
            raise

    def begin(self, intent: Intent) -> None:
        """
        Keep that a call is about to be handled.

        Raises:
            Unwritable: it is not kept, and the call must not be handled.
        """
        text = text_of(intent)
        with self._lock:
            self._demand_life()
            self._segment.append(text)
            self._under_way[intent.call] = intent
            self.appended += 1

    def finish(self, outcome: Outcome | Whole) -> int:
        """
        Keep what became of a call; with all that is told of it, if it is not kept yet that it has begun.

        Returns:
            How many lines were appended, this one included.

        Raises:
            Unwritable: it is not kept; when this life has ended, what became of the call counts as unknown.
        """
        text = text_of(outcome)
        with self._lock:
            self._demand_life()
            intent, became = outcome if isinstance(outcome, Whole) else (self._under_way[outcome.call], outcome)
            self._segment.append(text)
            self._under_way.pop(intent.call, None)
            self._recent.keep(Finished(intent, became, self.file))
            if self._segment.size > self._segment_bytes:
                self._turn_over()
            self.appended += 1
            return self.appended

    @property
    def over(self) -> int:
        """How many calls are over."""
        return self._recent.newest

    def behind(self, number: int, most: int) -> list[Finished] | None:
        """Return calls that are over, out of memory; see `Recent.behind`."""
        with self._lock:
            return self._recent.behind(number, most)

    def sync(self) -> int:
        """
        Have all that was appended on the disk.

        Returns:
            How many lines that is.

        Raises:
            Unwritable: it may not be there, nor ever get there.
        """
        with self._lock:  # only to look: others append while the disk works
            self._demand_life()
            if self._failure is not None:
                raise self._failure
            appended, segment = self.appended, self._segment
            duplicate = segment.duplicate()
            full, self.full = self.full, []
        try:
            _sync_and_close(full)
        finally:
            segment.sync_through(duplicate)
        self._demand_name(segment)
        return appended

    def follow(self, appended: int) -> None:
        """Count lines on from those of the spool before, of which no more is believed to be on the disk."""
        with self._lock:
            self.appended += appended

    def end(self, why: Unwritable) -> int:
        """
        End this life while its process goes on; the files are as they are.

        Args:
            why: what whoever still has a call to finish here is told.

        Returns:
            The hold of the folder, for whoever ships what is left in it.
        """
        with self._lock:
            self._ended = why
            for segment in (*self.full, self._segment):
                segment.close()
            self.full = []
            return self._held

    def close(self, *, is_forked: bool = False, is_shipped: bool = False) -> None:
        """
        Let go of the folder: what is left in it is for another life to ship.

        Args:
            is_forked: this process is a child of the one whose life it is, and leaves the files to that.
            is_shipped: there is nothing left but perhaps calls under way; without them the folder goes.
        """
        if is_forked:  # without the lock: the thread that held it is not in this process
            for segment in (*self.full, self._segment):
                segment.close()
            os.close(self._held)
            return
        with self._lock:
            _sync_and_close([*self.full, self._segment])
        if is_shipped and not self._under_way:
            shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._held)

    def _demand_life(self) -> None:
        if self._ended is not None:
            raise Unwritable(str(self._ended))

    def _demand_name(self, segment: Segment) -> None:
        """Raise `Unwritable` if somebody has deleted the file that is written; full ones go once they are shipped."""
        with self._lock:
            if segment is self._segment and segment.is_deleted:
                raise Unwritable(f"{self.folder} was deleted")

    def _turn_over(self) -> None:
        """
        Go on in another file; in this one if there is no room for another.

        The full one is left to the next `sync`. If there was none since another got full, more is written than the disk
        takes, and this call waits for it.
        """
        try:
            self._sync_full()
            following = self._begun(self.file + 1)
        except Unwritable as error:
            _LOG.warning("the spool goes on in a file that is long already: %s", error)
            return
        self.full = [self._segment]
        self._segment, self.file = following, self.file + 1

    def _sync_full(self) -> None:
        full, self.full = self.full, []
        try:
            _sync_and_close(full)
        except Unwritable as error:
            self._failure = error  # whoever waits for what is in there must hear of it
            raise

    def _begun(self, number: int) -> Segment:
        header = text_of(Header(self._boot, self._recent.newest + 1))
        texts = [header, *map(text_of, self._under_way.values())]
        return Segment.begun(self.folder / f"{number:08d}{SUFFIX}", texts)


def _made(folder: Path) -> int:
    """Make the folder of a life, and return the hold of it."""
    try:
        return make_held(folder)
    except OSError as error:
        raise Unwritable(f"{folder} cannot be made: {error.strerror or error}") from error


def _remove(folder: Path, held: int) -> None:
    """Remove the folder of a life in which nothing was ever said."""
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)


def _sync_and_close(segments: list[Segment]) -> None:
    """Have these on the disk, the oldest first; whether that fails or not, they are closed."""
    with ExitStack() as closing:
        for segment in segments:
            closing.callback(segment.close)
        for segment in segments:
            segment.sync()


def segments_of(folder: Path) -> list[Path]:
    """Return a life's files, the oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))
