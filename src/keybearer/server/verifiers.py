"""Which verifiers ask this node, and how far each has come."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from keybearer.server.records import ResourceServer
from keybearer.wire.feed import Position

_REMEMBERED_S: Final = 3_600.0
_MOST: Final = 10_000

_LOG = structlog.get_logger("keybearer.verifiers")


@dataclass(frozen=True, slots=True)
class KnownVerifier:
    """
    One verifier process.

    Args:
        instance: the random text by which a process is known.
        position: up to where it has applied the feed, by its own last word.
        seen_at: seconds of this node's CLOCK_BOOTTIME.
    """

    resource_server_id: str
    instance: str
    position: Position
    seen_at: float


class Verifiers:
    """Remembers who asked; whoever was not heard of for an hour is forgotten."""

    def __init__(self, boottime: Callable[[], float]) -> None:
        self._boottime = boottime
        self._known: dict[tuple[str, str], KnownVerifier] = {}

    def note(self, owner: ResourceServer, instance: str, position: Position) -> None:
        """Remember that this verifier has confirmed *position* now; a new one is told to the log."""
        key = (owner.resource_server_id, instance)
        if key not in self._known:
            self._make_room()
            _LOG.info("verifier appeared", resource_server=owner.resource_server_id, instance=instance)
        self._known.pop(key, None)  # so that the one heard of last stands last
        self._known[key] = KnownVerifier(*key, position, self._boottime())

    def known(self) -> tuple[KnownVerifier, ...]:
        """Return every verifier that was heard of in the last hour, the most silent first."""
        since = self._boottime() - _REMEMBERED_S
        return tuple(verifier for verifier in self._known.values() if verifier.seen_at >= since)

    def _make_room(self) -> None:
        since = self._boottime() - _REMEMBERED_S
        while self._known:
            most_silent = next(iter(self._known.values()))
            if most_silent.seen_at >= since and len(self._known) < _MOST:
                return
            del self._known[most_silent.resource_server_id, most_silent.instance]
            _LOG.info("verifier gone", resource_server=most_silent.resource_server_id, instance=most_silent.instance)
