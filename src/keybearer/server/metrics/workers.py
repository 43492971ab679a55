"""What several workers of one server have measured, each in a folder of its own: whoever is scraped reads them all."""

import fcntl
import os
import secrets
from pathlib import Path
from typing import Final

import msgspec

from keybearer.reporting.spool import LOCK, hold
from keybearer.server.metrics.measuring import Measured, joined, lasting

_NUMBERS: Final = "numbers"
_Series = tuple[str, tuple[str, ...], tuple[float, ...]]
_READ: Final = msgspec.json.Decoder(list[_Series]).decode
_WRITE: Final = msgspec.json.Encoder().encode


class Workers:
    """
    Keeps what this worker measures, for the others, and reads what they keep.

    A worker goes on where one that ended has left off, so what is counted never goes back, and there are no more
    folders than there were workers at one moment. Of a worker that has ended only what lasts is read.

    Args:
        root: the folder that has a folder for each of them; the server's first process makes it, and removes it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own, self._held = self._found() or self._made()
        self._before = lasting(_read(self._own))
        self.keep({})

    def keep(self, measured: Measured) -> None:
        """Keep what this worker has measured, on top of what the ones before it had."""
        series = [(*key, numbers) for key, numbers in joined((self._before, measured)).items()]
        unfinished = self._own / f"{_NUMBERS}.new"
        unfinished.write_bytes(_WRITE(series))
        unfinished.rename(self._own / _NUMBERS)

    def measured(self) -> Measured:
        """Return what all of them have kept, joined."""
        return joined(
            _read(folder) if _is_held(folder) else lasting(_read(folder)) for folder in sorted(self._root.iterdir())
        )

    def close(self) -> None:
        """Leave the folder to the next worker."""
        os.close(self._held)

    def _found(self) -> tuple[Path, int] | None:
        """Return the folder of a worker that has ended, held; None if there is none."""
        for folder in sorted(self._root.iterdir()):
            held = hold(folder)
            if held is not None:
                return folder, held
        return None

    def _made(self) -> tuple[Path, int]:
        while True:
            folder = self._root / secrets.token_hex(8)
            folder.mkdir()
            held = hold(folder)
            if held is not None:  # another worker that has just begun may have been quicker
                return folder, held


def _read(folder: Path) -> Measured:
    try:
        return {(name, labels): numbers for name, labels, numbers in _READ((folder / _NUMBERS).read_bytes())}
    except FileNotFoundError:
        return {}


def _is_held(folder: Path) -> bool:
    """Tell whether a worker is alive, without keeping anybody else from telling."""
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:  # it begins at this moment
        return False
    return False
