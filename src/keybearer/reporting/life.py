"""What one life of a process has left to report: its files read in order, as records that are over."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keybearer.reporting.lines import Broken, Header, Intent, Line, Outcome, Whole
from keybearer.reporting.records import Record
from keybearer.reporting.segment import SegmentReader
from keybearer.reporting.spool import segments_of

_OWNER: Final = "owner"
BATCH: Final = 500
_READ_BYTES: Final = 96 * 1024  # of lines, so that a batch stays below the thousand that a node takes at once


class Life:
    """
    Reads the records of a life of a process, whose files may still be written.

    A record has the number of its outcome: counted from the first file, they have no gap, and come out the same however
    often they are read. What has no outcome when the life is over is ``unknown``.

    Args:
        folder: of the life.
        held: the descriptor of `hold` if the life is over; None: it is this process's own.
    """

    def __init__(self, folder: Path, held: int | None = None) -> None:
        self.folder = folder
        self._held = held
        self._owner: str | None = None
        self.file = 1
        """The number of the file that is read, or was read last."""
        self._reader: SegmentReader | None = None
        self._boot = folder.name
        self._n = 1
        self._under_way: dict[int, Intent] = {}
        self._read: list[Path] = []
        self._batch: list[Record] = []

    @property
    def is_over(self) -> bool:
        """Whether its process has ended."""
        return self._held is not None

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
        """Go on behind the last batch: the server has it, and the files that were read to their end can go."""
        self._batch = []
        for path in self._read:
            path.unlink(missing_ok=True)
        self._read = []

    def let_go(self) -> None:
        """Leave the folder to whoever wants it."""
        if self._held is not None:
            os.close(self._held)

    def remove(self) -> None:
        """Remove the folder of a life that is over, and has nothing left."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.let_go()

    def _next(self) -> list[Record]:
        found: list[Record] = []
        while len(found) < BATCH:
            following = self._following()  # looked for first: a file that has one is not written any more
            if self._reader is None:
                if following is None:
                    break
                self._read_on(following)
                continue
            lines = list(self._reader.lines(_READ_BYTES))
            for line in lines:
                found.extend(self._taken(line))
            if lines:
                continue
            if following is None:
                break
            self._read.append(self._reader.path)
            self._read_on(following)
        return found or (self._left_over() if self.is_over else [])

    def _read_on(self, path: Path) -> None:
        self._reader, self.file = SegmentReader(path), int(path.stem)

    def _following(self) -> Path | None:
        """Return the file behind the one that is read, the first one if none is; None if there is none."""
        read = None if self._reader is None else self._reader.path
        return next((path for path in segments_of(self.folder) if read is None or path > read), None)

    def _taken(self, line: Line) -> Iterator[Record]:
        match line:
            case Header(boot, first_n):
                self._boot, self._n = boot, first_n
            case Intent():
                self._under_way[line.call] = line
            case Outcome():
                intent = self._under_way.pop(line.call, None)
                if intent is None:
                    raise Broken(f"{self.folder}: an outcome without a call")
                yield self._record(intent, line)
            case Whole(intent, outcome):
                yield self._record(intent, outcome)

    def _record(self, intent: Intent, outcome: Outcome) -> Record:
        record = Record(self._boot, self._n, intent, outcome)
        self._n += 1
        return record

    def _left_over(self) -> list[Record]:
        """Return the calls that were under way when the process ended."""
        left = [self._record(self._under_way[call], Outcome(call, "unknown")) for call in sorted(self._under_way)]
        self._under_way.clear()
        return left


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
