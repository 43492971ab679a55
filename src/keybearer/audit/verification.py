"""Verifies an export line by line: places, hashes, roots, signatures, and saved checkpoints."""

from collections.abc import Iterable, Sequence
from typing import Final

from keybearer.audit.batches import Batch, batch_from
from keybearer.audit.lines import BadLine, LogLine, RecordLine, line_from
from keybearer.audit.reading import LogReading, Wrong
from keybearer.audit.trust import Trust
from keybearer.audit.verdict import Fault, LogVerdict, Verdict
from keybearer.wire.checkpoint import BadNote

BATCH: Final = 128  # lines that are best looked at together


class Verification:
    """
    Takes the lines of an export one after the other, and tells in the end what came of it.

    With the first thing that is wrong in a log the rest of that log is passed over; other logs are still looked at.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._number = 0
        self._logs: dict[str, LogVerdict] = {}
        self._faults: list[Fault] = []
        self._unsigned = 0
        self._reading: LogReading | None = None
        self._passes_over = False

    def take(self, lines: Sequence[bytes], batch: Batch | None = None) -> None:
        """
        Look at the next lines: as many together as agree with each other, the others one by one.

        Args:
            lines: each as it stands in the file, with its end; best some hundred at a time.
            batch: what `batch_from` reads them as, where somebody has asked already.
        """
        if self._took_together(lines, batch):
            self._number += len(lines)
        elif len(lines) > 1:
            middle = len(lines) // 2
            self.take(lines[:middle])
            self.take(lines[middle:])
        else:
            for raw in lines:
                self._number += 1
                self._take_one(raw)

    def verdict(self) -> Verdict:
        """Tell what came of it, once all lines were taken."""
        self._close()
        for origin in sorted(self._trust.logs - self._logs.keys()):
            self._blame(_absent(origin, self._logs), origin)
        if not self._logs and not self._faults:
            self._blame(_nothing_proved(self._unsigned), None)
        return Verdict(self._logs, tuple(self._faults), self._unsigned)

    def _took_together(self, lines: Sequence[bytes], batch: Batch | None) -> bool:
        if self._reading is None:
            return False
        batch = batch or batch_from(lines)
        return batch is not None and self._reading.take_batch(batch)

    def _take_one(self, raw: bytes) -> None:
        try:
            line = line_from(raw)
            if isinstance(line, LogLine):
                self._close()
                self._open(line)
            elif self._reading is not None:
                self._reading.take(line)
            elif isinstance(line, RecordLine) and line.index is None:
                self._unsigned += 0 if self._passes_over else 1
            elif not self._passes_over:
                self._fail(Wrong("this stands before any line that says to which log it belongs"))
        except BadLine as error:
            reading = self._reading
            self._fail(Wrong(str(error), reading.expected if reading else None))
        except Wrong as error:
            self._fail(error)

    def _open(self, line: LogLine) -> None:
        self._passes_over = True
        if line.origin in self._logs:
            self._blame("the log is here twice", line.origin, self._number)
            return
        try:
            checkpoint = self._trust.checkpoint(line)
        except BadNote as error:
            self._blame(str(error), line.origin, self._number)
            return
        self._reading = LogReading(checkpoint, self._trust.saved_of(line.origin))
        self._logs[line.origin] = self._reading.verdict

    def _close(self) -> None:
        if self._reading is not None:
            try:
                self._reading.close()
            except Wrong as error:
                self._fail(error)
        self._reading = None

    def _fail(self, wrong: Wrong) -> None:
        """Keep what is wrong, and pass over the rest of the log, where nothing could be judged."""
        if self._reading is not None:
            verdict = self._reading.verdict
            verdict.fault = Fault(verdict.origin, wrong.index, self._number, str(wrong))
            self._faults.append(verdict.fault)
        elif not self._passes_over:
            self._blame(str(wrong), None, self._number)
        self._reading, self._passes_over = None, True

    def _blame(self, what: str, origin: str | None, number: int | None = None) -> None:
        self._faults.append(Fault(origin, None, number, what))


def _absent(origin: str, logs: Iterable[str]) -> str:
    """Say what it means that a checkpoint was saved of *origin*, which is not one of the *logs* that are here."""
    if any(log.startswith(f"{origin}/") for log in logs):
        return (
            "this is a checkpoint of the tree over all logs, which is in no export; give those of the logs themselves"
        )
    return "there is no such log here: it was left out, or the checkpoint that was saved is another log's"


def _nothing_proved(unsigned: int) -> str:
    if not unsigned:
        return "there is no log here: nothing is proved"
    return f"nothing is signed yet: no checkpoint speaks for the {unsigned} records here, which prove nothing"
