"""Remembers whose the lately presented keys are, so that a verifier's questions do not each read the store."""

from typing import Final

from keybearer.server import secrets
from keybearer.server.feed.reader import FeedReader
from keybearer.server.last_used import LastUsed
from keybearer.server.limits.places import Places
from keybearer.server.reads.resource_servers import authenticate
from keybearer.server.records import ResourceServer
from keybearer.server.store.database import Database
from keybearer.wire.feed import Event

_MOST: Final = 10_000


class VerifierKeys:
    """
    Remembers who a key belongs to until the feed tells of a change to any resource server.

    Args:
        last_seen: is told whose key was presented, by whatever door asks here.
    """

    def __init__(self, database: Database, feed: FeedReader, look_ups: Places, last_seen: LastUsed) -> None:
        self._database = database
        self._look_ups = look_ups
        self._last_seen = last_seen
        self._known: dict[bytes, ResourceServer] = {}
        self._forgotten = 0
        feed.add_follower(self)

    async def owner_of(self, text: str, source: str, now: int) -> ResourceServer:
        """
        Return the resource server whose key this is.

        Args:
            source: who presents it, for `Places`.
            now: microseconds since 1970 UTC.

        Raises:
            Refusal: ``unauthenticated``: it is nobody's, or was revoked; those of `Places.place`.
        """
        if known := self.known(text, now):
            return known
        digest = secrets.digest(text)
        forgotten_before = self._forgotten
        async with self._look_ups.place(source):
            owner = await authenticate(self._database, text)
        if forgotten_before == self._forgotten:  # else what was read may be older than what the feed told since
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[digest] = owner
        self._last_seen.note(owner.resource_server_id, now)
        return owner

    def known(self, text: str, now: int) -> ResourceServer | None:
        """Return whose key this is, presented at *now*, if that is remembered."""
        owner = self._known.get(secrets.digest(text))
        if owner is not None:
            self._last_seen.note(owner.resource_server_id, now)
        return owner

    def apply(self, event: Event) -> None:
        """Forget all keys when a resource server changed: that is rare, and then each is read once."""
        if event.kind.startswith("resource_server."):
            self._forget()

    def begin_at(self, seq: int) -> None:  # noqa: ARG002 - wherever the feed begins, nothing from before it counts
        """Forget all keys."""
        self._forget()

    def _forget(self) -> None:
        self._known.clear()
        self._forgotten += 1
