"""The file outside the database that says what was signed: what stands there is never contradicted."""

import base64
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from keybearer.wire.checkpoint import Checkpoint

Signed = tuple[int, bytes]
"""How many records a log had, and its root then."""

_PIECE: Final = 1 << 20


class Contradiction(Exception):
    """A checkpoint would contradict one that was signed before; the text says how."""


class Witness:
    """
    The append-only file of one node, or of several processes that share a folder.

    A checkpoint is written here, and synced, before it is signed. So a database that was put back, or changed, is found
    out by comparison, and no size of a log ever has two signed roots.

    Args:
        path: the file; made when it is not there.

    Raises:
        OSError: it cannot be opened or made.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._read_to = 0
        self._last: dict[str, Signed] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what other processes have added. A line that is not whole was never signed."""
        text = b""
        while piece := os.pread(self._file, _PIECE, self._read_to + len(text)):
            text += piece
        whole = text[: text.rfind(b"\n") + 1]
        for line in whole.splitlines():
            origin, size, root = _parts(line)
            if origin:
                self._last[origin] = (size, root)
        self._read_to += len(whole)

    @property
    def last(self) -> Mapping[str, Signed]:
        """What was signed last for each log, by its origin."""
        return self._last

    def add(self, checkpoints: Sequence[Checkpoint]) -> None:
        """
        Write down what is about to be signed, and sync it.

        Raises:
            Contradiction: another process has written something else meanwhile; nothing was added.
            OSError: it cannot be written; then nothing may be signed.
        """
        with self._locked():
            self.refresh()
            lines = [_line(each) for each in checkpoints if self._is_news(each)]
            if lines:
                self._append("".join(lines).encode())

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _is_news(self, checkpoint: Checkpoint) -> bool:
        size, root = self._last.get(checkpoint.origin, (0, b""))
        if checkpoint.size < size:
            raise Contradiction(f"{checkpoint.origin} was signed with {size} records, and is to be with fewer")
        if checkpoint.size == size and root and root != checkpoint.root:
            raise Contradiction(f"{checkpoint.origin} was signed with another root at {size} records")
        return checkpoint.size > size

    def _append(self, lines: bytes) -> None:
        end = os.fstat(self._file).st_size
        if end > self._read_to:  # a line that was torn by a crash: it must not run into the next one
            lines = b"\n" + lines
        try:
            while lines:
                lines = lines[os.write(self._file, lines) :]
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, end)
            raise
        self.refresh()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


def _line(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.origin} {checkpoint.size} {base64.b64encode(checkpoint.root).decode()}\n"


def _parts(line: bytes) -> tuple[str, int, bytes]:
    """Take a line apart; what a crash has torn has no origin."""
    try:
        origin, size, root = line.decode("ascii").split(" ")
        return origin, int(size), base64.b64decode(root, validate=True)
    except ValueError:
        return "", 0, b""
