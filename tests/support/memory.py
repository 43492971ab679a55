"""Where tests write: into memory, where the machine has a file system there that is fit for it."""

import os
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - what is made there is made by tempfile
ENOUGH: Final = 2 << 30  # bytes; several times what a whole run writes at once


def write_in_memory(place: Path = MEMORY) -> None:
    """
    Make temporary folders below *place* from now on, here and in processes started from here.

    No test asks what a power cut leaves, yet each commit of SQLite waits for the disk, and a run makes many thousands.
    Whoever has set TMPDIR is obeyed; a place that is missing or not fit is left alone.
    """
    if "TMPDIR" not in os.environ and place.is_dir() and is_fit(os.statvfs(place)):
        os.environ["TMPDIR"] = str(place)
        tempfile.tempdir = None  # it may have been asked for already


def is_fit(place: os.statvfs_result) -> bool:
    """Tell whether there is room for a run, and programs may be started: in containers there often is neither."""
    return place.f_bavail * place.f_frsize >= ENOUGH and not place.f_flag & os.ST_NOEXEC
