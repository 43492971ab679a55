"""Folders that a process holds while it lives: others can tell, and take over what it leaves behind."""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

LOCK: Final = "lock"
_UNFINISHED: Final = "."  # before its name, while a folder is being made


def make_held(folder: Path) -> int:
    """
    Make a folder, and return the hold of it, as `hold` does: it has its name only once it is held.

    Raises:
        OSError: it cannot be made.
    """
    unfinished = folder.with_name(f"{_UNFINISHED}{folder.name}")
    unfinished.mkdir(mode=0o700, parents=True)
    held = hold(unfinished)
    if held is None:
        raise BlockingIOError(errno.EAGAIN, "another process removes it")
    unfinished.rename(folder)
    return held


def hold(folder: Path) -> int | None:
    """Take hold of a life's folder for as long as the descriptor returned is open; None: its process is alive."""
    descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_held(folder: Path) -> bool:
    """Tell whether the process that holds a folder lives; nobody is kept from telling the same meanwhile."""
    with (folder / LOCK).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def is_unfinished(folder: Path) -> bool:
    """Tell whether the process that makes this folder has not finished that; it may have died."""
    return folder.name.startswith(_UNFINISHED)


def remove_unfinished(folder: Path) -> None:
    """Remove a folder that was never finished, unless its process lives: nothing was ever in it."""
    with suppress(OSError):  # it was finished, or another process removes it
        held = hold(folder)
        if held is None:
            return
        try:
            (folder / LOCK).unlink()
            folder.rmdir()
        finally:
            os.close(held)
