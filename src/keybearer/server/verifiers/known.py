"""The verifiers that ask this node, and how far each has come."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from keybearer.server.records import Report, ResourceServer
from keybearer.wire.feed import NO_HASH, Position

_REMEMBERED_S: Final = 3_600.0
_MOST: Final = 10_000
_UNSAID: Final = Position("", 0, NO_HASH)

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
        self._news = asyncio.Event()
        self._lost_sight_at = -math.inf

    def note(self, owner: ResourceServer, instance: str, position: Position | None = None) -> None:
        """
        Remember that this verifier asks now; a new one is told to the log.

        Args:
            position: what it has confirmed by asking; None if it asks about a token, and does not say.
        """
        key = (owner.resource_server_id, instance)
        before = self._known.pop(key, None)  # so that the one heard of last stands last
        if before is None:
            self._make_room()
            _LOG.info("verifier appeared", resource_server=owner.resource_server_id, instance=instance)
        said = position or (before.position if before else _UNSAID)
        self._known[key] = KnownVerifier(*key, said, self._boottime())
        if before is None or before.position != said:
            news, self._news = self._news, asyncio.Event()
            news.set()

    @property
    def news(self) -> asyncio.Event:
        """Set as soon as a verifier has confirmed something; another event each time."""
        return self._news

    def known(self) -> tuple[KnownVerifier, ...]:
        """Return every verifier that was heard of in the last hour, the most silent first."""
        return self.seen_within(_REMEMBERED_S)

    def report(self, head: Position, bound_s: float) -> Report:
        """
        Return how far those have come who were heard of within *bound_s*: whoever was not, accepts nothing any more.

        Where there were too many to remember them all, the report says nothing of any event.

        Args:
            head: up to where this node has seen the feed.
        """
        reached = {
            (verifier.resource_server_id, verifier.instance): (
                verifier.position.seq if verifier.position.epoch == head.epoch else 0
            )
            for verifier in self.seen_within(bound_s)
        }
        is_whole = self._boottime() - self._lost_sight_at > bound_s
        return Report(head.epoch, head.seq if is_whole else -1, reached)

    def seen_within(self, seconds: float) -> tuple[KnownVerifier, ...]:
        """Return every verifier that was heard of in these last seconds, the most silent first."""
        since = self._boottime() - seconds
        return tuple(verifier for verifier in self._known.values() if verifier.seen_at >= since)

    def unconfirmed_s(self, head: Position, bound_s: float) -> float:
        """
        Return for how long the most silent verifier was not heard of that may still accept tokens on older news.

        Args:
            head: up to where this node has seen the feed; who has confirmed that does not count.
            bound_s: whoever was not heard of for so long accepts nothing any more.
        """
        behind = [verifier.seen_at for verifier in self.seen_within(bound_s) if verifier.position != head]
        return self._boottime() - min(behind) if behind else 0.0

    def has_seen_within(self, seconds: float) -> bool:
        """Tell whether any was heard of in these last seconds."""
        return bool(self._known) and next(reversed(self._known.values())).seen_at >= self._boottime() - seconds

    def _make_room(self) -> None:
        since = self._boottime() - _REMEMBERED_S
        while self._known:
            most_silent = next(iter(self._known.values()))
            if most_silent.seen_at >= since and len(self._known) < _MOST:
                return
            self._lost_sight_at = most_silent.seen_at if most_silent.seen_at >= since else self._lost_sight_at
            del self._known[most_silent.resource_server_id, most_silent.instance]
            _LOG.info("verifier gone", resource_server=most_silent.resource_server_id, instance=most_silent.instance)
