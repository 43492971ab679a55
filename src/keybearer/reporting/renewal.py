"""A new spool where the disk did not take what is in the old one: nothing that was there before is ever believed."""

import logging
import os
import secrets
import shutil
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from keybearer.reporting.real_threads import start_thread
from keybearer.reporting.segment import Unwritable
from keybearer.reporting.spool import Spool

_EVERY_S: Final = 5.0
_LOG: Final = logging.getLogger("keybearer")


def new_spool(root: Path) -> Spool:
    """
    Return the spool of a new life of this process.

    Raises:
        Unwritable: its folder cannot be made.
    """
    boot = secrets.token_hex(16)
    return Spool(root / boot, boot)


class Renewal:
    """
    Makes a spool that the disk takes, in a thread of its own: a disk that has failed may hold up whoever waits for it.

    Args:
        root: the folder that has a folder for each life.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made: Spool | None = None
        self._thread: Future[None] | None = None
        self._again_at = 0.0

    def spool(self) -> Spool | None:
        """Return the spool, once; None while there is none. Whoever asks has one made, but not too often."""
        if self._thread is not None and not self._thread.done():
            return None
        made, self._made = self._made, None
        if made is None and time.monotonic() >= self._again_at:
            self._again_at = time.monotonic() + _EVERY_S
            self._thread = start_thread(self._make, "keybearer-renewal")
        return made

    def close(self) -> None:
        """Remove what was made and not wanted any more."""
        if self._made is not None:
            _remove(self._made)

    def _make(self) -> None:
        try:
            spool = new_spool(self._root)
        except Unwritable as error:
            _LOG.info("no new spool can be made: %s", error)
            return
        try:
            spool.sync()
        except Unwritable as error:
            _LOG.info("the disk takes no new spool either: %s", error)
            _remove(spool)
        else:
            self._made = spool


def _remove(spool: Spool) -> None:
    """Remove a spool with nothing in it."""
    held = spool.end(Unwritable("it was never used"))
    shutil.rmtree(spool.folder, ignore_errors=True)
    os.close(held)
