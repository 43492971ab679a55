"""What one life of a process has left to report, in the order of its records' numbers."""

import os
import shutil
from pathlib import Path
from typing import Final

from keybearer.reporting.lines import as_read
from keybearer.reporting.records import Record
from keybearer.reporting.rereading import Rereading
from keybearer.reporting.spool import Spool, segments_of

_OWNER: Final = "owner"
BATCH: Final = 500


class Life:
    """
    Gives the records of a life of a process, whose files may still be written.

    A record has the number of its outcome: counted from the first file, they have no gap, and come out the same however
    often they are given, out of memory or out of the files.

    Args:
        folder: of the life.
        held: the descriptor of `hold` if the life is over; None: it is this process's own.
        spool: of this process if the life is its own: what its memory has is not read.
    """

    def __init__(self, folder: Path, held: int | None = None, spool: Spool | None = None) -> None:
        self.folder = folder
        self._held = held
        self._spool = spool
        self._owner: str | None = None
        self.file = 1
        """The number of the file up to which records were given; none of an earlier one is left after them."""
        self.through = 0
        """The number of the last record that is shipped."""
        self._batch: list[Record] = []
        self._rereading: Rereading | None = None

    @property
    def is_over(self) -> bool:
        """Whether its process has ended."""
        return self._held is not None

    def end(self, held: int) -> None:
        """Be over, though its process goes on in another; what its memory has is still taken from there."""
        self._held = held

    def owner(self, present: str) -> str:
        """
        Return whose records these are, for good: a resource server's id.

        What was sent as one resource server's is never sent as another's, or it would count twice.

        Args:
            present: whose they are if none of them was sent yet.

        Raises:
            OSError: that cannot be kept.
        """
        if self._owner is None:
            self._owner = _kept_once(self.folder / _OWNER, present)
        return self._owner

    def batch(self) -> list[Record]:
        """
        Return the next records, the same ones until `shipped` is told; none if there are none for now.

        Raises:
            Broken: the files are not what was written.
            OSError: they cannot be read.
        """
        if not self._batch:
            self._batch = self._next()
        return self._batch

    def shipped(self) -> None:
        """Go on behind the last batch: the server has it, and the files that have nothing else can go."""
        self.through, self._batch = self._batch[-1].n, []
        for path in segments_of(self.folder):
            if int(path.stem) < self.file:
                path.unlink(missing_ok=True)

    def let_go(self) -> None:
        """Leave the folder to whoever wants it."""
        if self._held is not None:
            os.close(self._held)

    def remove(self) -> None:
        """Remove the folder of a life that is over, and has nothing left."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.let_go()

    def _next(self) -> list[Record]:
        if self._spool is None or (self.is_over and self.through >= self._spool.over):
            return self._next_of_files()  # where what was under way at its end is found, too
        recent = self._spool.behind(self.through, BATCH)
        if recent is None:
            return self._next_of_files()
        self._rereading = None  # it would go on far behind, in a file that may be gone by then
        if recent:
            self.file = recent[-1].file
        return [
            Record(self.folder.name, n, intent, as_read(outcome))
            for n, (intent, outcome, _) in enumerate(recent, self.through + 1)
        ]

    def _next_of_files(self) -> list[Record]:
        reading = self._rereading = self._rereading or Rereading(self.folder)
        while records := reading.records(BATCH):
            self.file = reading.file
            if new := [record for record in records if record.n > self.through]:
                return new
        return reading.left_over() if self.is_over else []


def _kept_once(path: Path, text: str) -> str:
    """Return what the file says; *text*, which is on the disk then, if it was not there."""
    if path.exists():
        return path.read_text()
    unfinished = path.with_suffix(".new")
    with unfinished.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    return text
