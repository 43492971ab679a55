"""Tells this process's listeners how far the feed has come."""

import logging
from collections.abc import Callable

from keybearer.server.store.database import EpochAndSeq

_LOG = logging.getLogger(__name__)


class Listeners:
    """Those who want to know of each commit of this process that numbered events."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[EpochAndSeq], None]] = []

    def add(self, callback: Callable[[EpochAndSeq], None]) -> None:
        """Tell *callback* from now on."""
        self._callbacks.append(callback)

    def tell(self, position: EpochAndSeq | None) -> None:
        """Tell all listeners that the feed has reached *position*; with None it has not moved, and nobody is told."""
        if position is None:
            return
        for callback in self._callbacks:
            try:
                callback(position)
            except Exception:  # noqa: BLE001 - the works are kept, whatever a listener makes of it
                _LOG.exception("a listener failed at %s", position)
