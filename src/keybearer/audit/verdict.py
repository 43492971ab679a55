"""The result of a verification: what each log holds, whether that is proved, and what is wrong where."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing that is wrong.

    Args:
        log: the origin of the log; None where none can be told.
        index: the first record that is wrong; None where it is a checkpoint, or the file.
        line: the line of the export, from 1; None where what is missing has no line.
        what: what is wrong, a sentence without a full stop.
    """

    log: str | None
    index: int | None
    line: int | None
    what: str


@dataclass(slots=True)
class LogVerdict:
    """
    What is known of one log of an export.

    Args:
        origin: its name.
        size: how many records its checkpoint speaks for.
        root: that checkpoint's root, 32 bytes.
        records: how many of them are in the export.
        skipped: how many are left out, and stand there by their hashes.
        unsigned: how many further records no checkpoint speaks for yet: they prove nothing.
        erased: by the index of a record which of its fields were erased, or may not be seen by whom the export is for.
        kept: the sizes of the saved checkpoints that it goes on from.
        fault: what is wrong, if something is; what comes after it was not looked at.
    """

    origin: str
    size: int
    root: bytes
    records: int = 0
    skipped: int = 0
    unsigned: int = 0
    erased: dict[int, tuple[str, ...]] = field(default_factory=dict)
    kept: list[int] = field(default_factory=list)
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What came of verifying an export.

    Args:
        unsigned: how many records stand before any log, because nothing is signed of theirs: they prove nothing.
    """

    logs: Mapping[str, LogVerdict]
    faults: tuple[Fault, ...]
    unsigned: int = 0

    @property
    def is_proved(self) -> bool:
        """Whether everything in the export is what its checkpoints, and those saved before, stand for."""
        return not self.faults
