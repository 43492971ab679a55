"""What several workers of one server have measured, each in a folder of its own: whoever is scraped reads them all."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from keybearer.reporting.held_folders import hold, is_held, is_unfinished, make_held
from keybearer.server.metrics.measuring import Measured, joined, lasting

_ROOT: Final = "metrics-"
_NUMBERS: Final = "numbers"
_Series = tuple[str, tuple[str, ...], tuple[float, ...]]
_READ: Final = msgspec.msgpack.Decoder(list[_Series]).decode  # unlike JSON it knows infinity
_WRITE: Final = msgspec.msgpack.Encoder().encode


@contextmanager
def folder_of_workers(within: Path) -> Iterator[Path]:
    """
    Lend a folder that has a folder for each worker; those left behind by servers that were killed are removed.

    Raises:
        OSError: no folder can be made in *within*.
    """
    within.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in within.glob(f"{_ROOT}*"):
        with suppress(FileNotFoundError):  # another server has just removed it
            held = hold(left)
            if held is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(held)
    root, held = _made(within, _ROOT)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)
        os.close(held)


class Workers:
    """
    Keeps what this worker measures, for the others, and reads what they keep.

    A worker goes on where one that ended has left off, so what is counted never goes back, and there are no more
    folders than there were workers at one moment. Of a worker that has ended only what lasts is read.

    Args:
        root: the folder that `folder_of_workers` lends to the server's first process.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own, self._held = self._found() or _made(root)
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
        return joined(_read(folder) if is_held(folder) else lasting(_read(folder)) for folder in self._folders())

    def close(self) -> None:
        """Leave the folder to the next worker."""
        os.close(self._held)

    def _found(self) -> tuple[Path, int] | None:
        """Return the folder of a worker that has ended, held; None if there is none."""
        for folder in self._folders():
            held = hold(folder)
            if held is not None:
                return folder, held
        return None

    def _folders(self) -> list[Path]:
        return sorted(each for each in self._root.iterdir() if each.is_dir() and not is_unfinished(each))


def _made(within: Path, prefix: str = "") -> tuple[Path, int]:
    folder = within / f"{prefix}{secrets.token_hex(8)}"
    return folder, make_held(folder)


def _read(folder: Path) -> Measured:
    try:
        return {(name, labels): numbers for name, labels, numbers in _READ((folder / _NUMBERS).read_bytes())}
    except FileNotFoundError:
        return {}
