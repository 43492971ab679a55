"""One file of a spool: lines are appended whole, or not at all."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from keybearer.reporting.lines import START, Broken, Line, line_of, link_of

SUFFIX: Final = ".spool"


class Unwritable(Exception):
    """The spool does not take what is to be reported: the call must not be served."""


class Segment:
    """
    A file that is being written; whoever holds it sees to it that one thread at a time appends.

    Args:
        path: of a file that is not there yet.

    Raises:
        Unwritable: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.size = 0
        self._path = path
        self._link = START
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error

    @classmethod
    def begun(cls, path: Path, texts: Iterable[bytes]) -> Self:
        """
        Return a new file that has lines in it, as `text_of` writes them; none is left if that fails.

        Raises:
            Unwritable: it cannot be made, or has no room.
        """
        segment = cls(path)
        try:
            for text in texts:
                segment.append(text)
        except Unwritable:
            segment.close()
            path.unlink()
            raise
        return segment

    @property
    def is_deleted(self) -> bool:
        """Whether the file has no name any more: it ends with this process."""
        return os.fstat(self._file).st_nlink == 0

    def append(self, text: bytes) -> None:
        """
        Write a line, as `text_of` writes it; it survives this process.

        Raises:
            Unwritable: it is not in the file.
        """
        link = link_of(self._link, text)
        written = b"%b %b\n" % (link, text)
        try:
            done = os.write(self._file, written)
            if done != len(written):
                os.ftruncate(self._file, self.size)
                raise Unwritable(f"{self._path} has no room for a line")
        except OSError as error:
            raise self._unwritable(error) from error
        self._link = link
        self.size += done

    def sync(self) -> None:
        """
        Have what was appended on the disk.

        Raises:
            Unwritable: it may not be there, nor ever get there.
        """
        self.sync_through(self.duplicate())

    def duplicate(self) -> int:
        """
        Return a descriptor for `sync_through`, which may outlast the file's being closed here.

        Raises:
            Unwritable: there can be no more descriptors.
        """
        try:
            return os.dup(self._file)
        except OSError as error:
            raise self._unwritable(error) from error

    def sync_through(self, duplicate: int) -> None:
        """
        Have what was appended on the disk, from another thread than the one that appends; *duplicate* is used up.

        Raises:
            Unwritable: it may not be there, nor ever get there.
        """
        try:
            try:
                os.fdatasync(duplicate)
            finally:
                os.close(duplicate)  # what it complains of nobody would hear of again
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Close the file; of what the disk took of it `sync` has told."""
        with suppress(OSError):
            os.close(self._file)

    def _unwritable(self, error: OSError) -> Unwritable:
        return Unwritable(f"{self._path} cannot be written: {error.strerror or error}")


class SegmentReader:
    """
    Reads a file, which may still be written, from where it was read last.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._link = START
        self._offset = 0

    def lines(self, most_bytes: int) -> Iterator[Line]:
        """
        Yield the lines that have been written since, as far as they are whole.

        Args:
            most_bytes: how much is read at once.

        Raises:
            Broken: a line is not what was written.
            OSError: the file cannot be read.
        """
        with self.path.open("rb") as file:
            file.seek(self._offset)
            for written in file.read(most_bytes).splitlines(keepends=True):
                if not written.endswith(b"\n"):
                    return
                try:
                    line = self._next(*written[:-1].split(b" ", 1))
                except Broken as error:
                    raise Broken(f"{self.path}, byte {self._offset}: {error}") from error
                self._offset += len(written)
                yield line

    def _next(self, link: bytes, text: bytes = b"") -> Line:
        if link != link_of(self._link, text):
            raise Broken("a line does not follow the one before it")
        self._link = link
        return line_of(text)
