"""A node between verifiers and store: it reads on each question, or answers from a snapshot whose age it tells."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from keybearer.server.rules.sync_answer import FeedView, sync_answer
from keybearer.wire.denial import Denial
from keybearer.wire.feed import Event, Fetched, Position, SyncAnswer, SyncQuestion
from tests.faults.simulation.store import Primary, Store, Token
from tests.faults.simulation.world import Clock, Network, World

PAGE: Final = 4
REFRESH_S: Final = 0.1


@dataclass(frozen=True)
class Snapshot:
    """The feed as the store had it when *begun_at* was read from the node's clock."""

    head: Position
    min_seq: int
    log: list[Event]
    begun_at: float


class Node:
    """One node; after a fail-over it may be wired to the old primary for a while."""

    def __init__(self, name: str, world: World, network: Network, store: Store) -> None:
        self.name = name
        self.world = world
        self.network = network
        self.store = store
        self.clock = Clock(world)
        self.primary = store.primary
        self.snapshot: Snapshot | None = None

    def reads_now_and_then(self) -> None:
        """Keep a snapshot that is read anew ten times a second, as long as the store can be reached."""

        def refresh() -> None:
            begun_at = self.clock.at()
            self.world.after(self._query_s(), lambda: self._look(begun_at))
            self.world.after(REFRESH_S, refresh)

        refresh()

    def sync(self, question: SyncQuestion, answer: Callable[[SyncAnswer], None]) -> None:
        """Answer a verifier from the snapshot if there is one, else after a look at the store."""
        if self.snapshot is not None:
            answer(self.answered(question, self.snapshot))
            return
        begun_at = self.clock.at()

        def reply() -> None:
            if self.can_read():
                answer(self.answered(question, self.look(begun_at)))

        self.world.after(self._query_s(), reply)

    def fetch(self, token: Token, answer: Callable[[Fetched | Denial], None]) -> None:
        """Answer with what the store says of the token, read after the question."""

        def reply() -> None:
            if self.can_read():
                answer(self.primary.fetch(token))

        self.world.after(self._query_s(), reply)

    def can_read(self) -> bool:
        """Tell whether the store answers: a fenced primary's barrier is confirmed by nobody."""
        return not self.network.is_cut(self.name, "store") and not self.primary.is_fenced

    def look(self, begun_at: float) -> Snapshot:
        """Read the feed."""
        primary = self.primary
        return Snapshot(primary.head, primary.min_seq, primary.log, begun_at)

    def answered(self, question: SyncQuestion, snapshot: Snapshot) -> SyncAnswer:
        """Make the answer with the shipped rules."""
        age_s = self.clock.at() - snapshot.begun_at
        return sync_answer(question, self.view(question, snapshot), age_s)

    def view(self, question: SyncQuestion, snapshot: Snapshot) -> FeedView:
        """Take out of the feed what the question is about."""
        seq, log, head = question.position.seq, snapshot.log, snapshot.head
        there = log[seq - 1].hash if 0 < seq <= head.seq else None
        return FeedView(head, snapshot.min_seq, there, tuple(log[seq : min(head.seq, seq + PAGE)]))

    def rewire(self, primary: Primary) -> None:
        """Speak to another primary from now on."""
        self.primary = primary

    def _look(self, begun_at: float) -> None:
        if self.can_read():
            self.snapshot = self.look(begun_at)

    def _query_s(self) -> float:
        random = self.world.random
        return random.uniform(0.001, 0.02) if random.random() < 0.97 else random.uniform(0.02, 3)
