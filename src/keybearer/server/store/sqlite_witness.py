"""The file beside a SQLite database that bears witness of how far its feed has come, so that a rewind is noticed."""

import os
from pathlib import Path
from typing import Final

from keybearer.server import clock
from keybearer.server.store.faults import StoreUnavailable
from keybearer.wire.feed import Position

_SLACK: Final = 2 * clock.SECOND  # the file's own time lags behind the clock by a tick
_MOST_BYTES: Final = 256


class HeadWitness:
    """
    The open file; one for each process, written only by whoever holds the database's write lock.

    It is written before each COMMIT that numbers events, and not synced: a process that dies leaves it as it was
    written. So it is never behind a database that was only used, and one that it is ahead of was put back, or lost its
    last commit.

    Args:
        path: the database's.

    Raises:
        StoreUnavailable: it cannot be opened or made.
    """

    def __init__(self, path: str) -> None:
        try:
            self._file = os.open(f"{path}-head", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._belong_to_owner_of(path)
        except OSError as error:
            raise StoreUnavailable(f"the file beside the database: {error}") from error

    def confirms(self, head: Position) -> bool:
        """
        Tell whether the file says that the feed stands at *head*, and was written in this very place.

        A copy that somebody puts back is younger than what is written in it: a file's change time cannot be set.
        """
        try:
            position, _, written_at = os.pread(self._file, _MOST_BYTES, 0).decode("ascii").strip().rpartition(" ")
            age = os.fstat(self._file).st_ctime_ns // 1_000 - int(written_at)
        except ValueError:  # empty, torn, or not ours
            return False
        return position == _words(head) and abs(age) < _SLACK

    def write(self, head: Position) -> None:
        """
        Say that the feed will stand at *head* once the transaction at hand is committed.

        Raises:
            StoreUnavailable: it cannot be written; the transaction must not be committed.
        """
        line = f"{_words(head)} {clock.now()}\n".encode("ascii")
        try:
            os.pwrite(self._file, line.ljust(_MOST_BYTES, b"\n"), 0)
        except OSError as error:
            raise StoreUnavailable(f"the file beside the database: {error}") from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _belong_to_owner_of(self, path: str) -> None:
        """Give the file the database's owner, as SQLite does with its own: the server could not open one of root's."""
        if os.geteuid() != 0:
            return
        database, own = Path(path).stat(), os.fstat(self._file)
        if (own.st_uid, own.st_gid) != (database.st_uid, database.st_gid):  # else it would count as put back: see above
            os.fchown(self._file, database.st_uid, database.st_gid)


def _words(head: Position) -> str:
    return f"{head.epoch} {head.seq} {head.hash.hex()}"
