"""The file outside the database that says what was signed: what stands there is never contradicted."""

import base64
import fcntl
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from keybearer.wire.checkpoint import Checkpoint

Signed = tuple[int, bytes]
"""How many records a log had, and its root then."""

THIN_FROM: Final = 16 * 2**20  # bytes that may come together before the file is thinned
KEPT_WHOLE: Final = 4 * 2**20  # of the newest lines
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
        self._path = path
        self._mutex = threading.RLock()  # of threads; processes are kept apart by a lock on the file
        self._file = _opened(path)
        self._read_to = 0
        self._thin_from = THIN_FROM
        self._last: dict[str, Signed] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read what other processes have added. A line that is not whole was never signed."""
        with self._mutex:
            if self._is_replaced():
                self._open_anew()
            self._read()

    def _read(self) -> None:
        text = self._text(self._read_to)
        whole = text[: text.rfind(b"\n") + 1]
        for line in whole.splitlines():
            origin, size, root = _parts(line)
            if origin and size >= self._last.get(origin, (0, b""))[0]:  # what is read anew takes nothing back
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
            self._read()
            lines = [_line(each) for each in checkpoints if self._is_news(each)]
            if lines:
                self._append("".join(lines).encode())

    def thin(self) -> None:
        """
        Once the file is long, write it anew: with the last line of each log, and all the lines at its end.

        The last lines alone say what may be signed. A crash leaves one file or the other, each whole; whoever has the
        old one open goes over to the new one before it writes.

        Raises:
            OSError: it cannot be written; the old one stays.
        """
        with self._locked():
            self._read()
            if self._read_to <= self._thin_from:
                return
            text = self._text(0)[: self._read_to]
            end = text.rfind(b"\n", 0, max(len(text) - KEPT_WHOLE, 0)) + 1
            last = {_parts(line)[0]: line + b"\n" for line in text[:end].splitlines()}
            last.pop("", None)  # what a crash had torn
            kept = b"".join(last.values()) + text[end:]
            self._replace(kept)
            self._thin_from = len(kept) + THIN_FROM

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _text(self, start: int) -> bytes:
        pieces = []
        while piece := os.pread(self._file, _PIECE, start):
            pieces.append(piece)
            start += len(piece)
        return b"".join(pieces)

    def _replace(self, text: bytes) -> None:
        path = self._path.with_name(f"{self._path.name}.new")
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        path.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._open_anew()
        self._read()

    def _is_replaced(self) -> bool:
        """Tell whether another process has thinned the file; one that is gone is not replaced by anything."""
        try:
            return self._path.stat().st_ino != os.fstat(self._file).st_ino
        except FileNotFoundError:
            return False

    def _open_anew(self) -> None:
        file = _opened(self._path)
        os.close(self._file)
        self._file, self._read_to = file, 0

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
        self._read()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._mutex:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            while self._is_replaced():  # while it was waited for
                self._open_anew()
                fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _line(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.origin} {checkpoint.size} {base64.b64encode(checkpoint.root).decode()}\n"


def _parts(line: bytes) -> tuple[str, int, bytes]:
    """Take a line apart; what a crash has torn has no origin."""
    try:
        origin, size, root = line.decode("ascii").split(" ")
        return origin, int(size), base64.b64decode(root, validate=True)
    except ValueError:
        return "", 0, b""
