"""Reads the feed together with the time before which nothing that was acknowledged can be missing."""

from collections.abc import Callable

from keybearer.server.feed.barrier import Barrier, Proof
from keybearer.server.store import feed
from keybearer.server.store.database import Database, at_once
from keybearer.server.store.faults import StoreFault, StoreUnavailable
from keybearer.server.store.feed import Head, Stretch
from keybearer.wire.feed import Position


class ProvenFeed:
    """
    Reads the feed of the store; with a barrier, only while the store proves that no other has taken over.

    Args:
        boottime: seconds that go on while the machine sleeps.

    Source: coherence.md 5.1 (A2), 5.3 (N1).
    """

    def __init__(self, database: Database, boottime: Callable[[], float], barrier: Barrier | None) -> None:
        self._database = database
        self._boottime = boottime
        self._barrier = barrier
        self._mark: int | None = None
        self._head: Head | None = None  # where the feed stood at that mark

    async def read_head(self) -> tuple[Head, float]:
        """
        Read where the feed stands, and tell since when something that was acknowledged may be lacking in that.

        Raises:
            StoreUnavailable: the store cannot be read, or another one is in force.
        """
        proof = self._proof()
        mark = self._database.change_mark()
        head = self._head
        if head is None or mark is None or mark != self._mark:
            head = self._head = await feed.read_head(self._database)
            self._mark = mark  # read before the head: what came in between is looked for next time
        return head, self._begun_at(proof, head)

    def is_still_at(self, position: Position) -> bool:
        """
        Tell at once whether the feed stands there: True is certain, False is not.

        Most commits tell nothing to the feed, so where only a look-up can tell, and takes no time, it is made.
        """
        if self._barrier or not self._database.answers_at_once:
            return False
        try:
            head, _ = at_once(self.read_head())
        except StoreFault:
            return False
        return head.position == position and not head.has_stray

    async def read_from(self, seq: int) -> tuple[Stretch, float]:
        """Read a stretch of the feed from the event *seq* on, and tell what `read_head` does."""
        proof = self._proof()
        stretch = await feed.read_from(self._database, seq)
        return stretch, self._begun_at(proof, stretch.head)

    async def keep_up(self) -> None:
        """
        See that what is read next counts as young, without waiting for that where it is young enough.

        Raises:
            StoreUnavailable: nothing that is read could be answered with.
        """
        if self._barrier:
            await self._barrier.keep_up()

    def _proof(self) -> Proof:
        return self._barrier.last if self._barrier else Proof("", self._boottime())

    def _begun_at(self, proof: Proof, head: Head) -> float:
        if self._barrier and proof.epoch != head.position.epoch:
            raise StoreUnavailable("another store than this one is in force")
        return proof.at
