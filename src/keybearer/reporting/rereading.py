"""What the files of a life say, read in their order: records that are over, by their numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keybearer.reporting.lines import Broken, Header, Intent, Line, Outcome, Whole
from keybearer.reporting.records import Record
from keybearer.reporting.segment import SegmentReader
from keybearer.reporting.spool import segments_of

_READ_BYTES: Final = 96 * 1024  # of lines, so that a batch stays below the thousand that a node takes at once


class Rereading:
    """
    Reads a life's files, which may still be written, from the oldest that is there.

    Args:
        folder: of the life.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader: SegmentReader | None = None
        self._boot = folder.name
        self._n = 1
        self._under_way: dict[int, Intent] = {}

    @property
    def file(self) -> int:
        """The number of the file that was read last; 0 before the first."""
        return 0 if self._reader is None else int(self._reader.path.stem)

    def records(self, enough: int) -> list[Record]:
        """
        Return the next records, *enough* of them and a few more; none if there are none for now.

        Raises:
            Broken: the files are not what was written.
            OSError: they cannot be read.
        """
        found: list[Record] = []
        while len(found) < enough:
            following = self._following()  # looked for first: a file that has one is not written any more
            lines = [] if self._reader is None else list(self._reader.lines(_READ_BYTES))
            for line in lines:
                found.extend(self._taken(line))
            if lines:
                continue
            if following is None:
                break
            self._reader = SegmentReader(following)
        return found

    def left_over(self) -> list[Record]:
        """Return the calls that were under way when the process ended: what became of them is ``unknown``."""
        left = [self._record(self._under_way[call], Outcome(call, "unknown")) for call in sorted(self._under_way)]
        self._under_way.clear()
        return left

    def _following(self) -> Path | None:
        """Return the file behind the one that is read, the first one if none is; None if there is none."""
        return next((path for path in segments_of(self._folder) if int(path.stem) > self.file), None)

    def _taken(self, line: Line) -> Iterator[Record]:
        match line:
            case Header(boot, first_n):
                self._boot, self._n = boot, first_n
            case Intent():
                self._under_way[line.call] = line
            case Outcome():
                intent = self._under_way.pop(line.call, None)
                if intent is None:
                    raise Broken(f"{self._folder}: an outcome without a call")
                yield self._record(intent, line)
            case Whole(intent, outcome):
                yield self._record(intent, outcome)

    def _record(self, intent: Intent, outcome: Outcome) -> Record:
        record = Record(self._boot, self._n, intent, outcome)
        self._n += 1
        return record
