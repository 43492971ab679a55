"""The mistakes of naive implementations, one world for each: the simulation must catch every one."""

from dataclasses import dataclass, replace
from typing import Final

from keybearer.server.rules import sync_answer as rules
from keybearer.verify.lease import Heard, Lease
from keybearer.verify.mirror import Mirror, Mirrored
from keybearer.wire.feed import Event, Fetched, Position, SyncAnswer, SyncQuestion
from keybearer.wire.principal import Principal
from tests.faults.simulation.node import Node, Snapshot
from tests.faults.simulation.run import CALM_BUT_SLOW, CRASHES, Parts
from tests.faults.simulation.store import Store, Token
from tests.faults.simulation.verifier import Verifier, new_lease


class CredulousLease(Lease):
    """Takes whatever events come, as long as their numbers are higher: part of some mistakes below."""

    def _follow(self, event: Event) -> bool:
        if event.seq > self.position.seq:
            self.mirror.apply(event)
            self.position = Position(self.position.epoch, event.seq, event.hash)
        return True

    def _contradicts(self, head: Position) -> bool:
        return False


class LeaseFromReceipt(Lease):
    """Lets the lease run from when the answer came."""

    received_at = 0.0

    def hear(self, answer: SyncAnswer) -> Heard:
        heard = super().hear(answer)
        if heard is Heard.RENEWED:
            self.fresh = self.received_at
        return heard


class ReceivingVerifier(Verifier):
    """Tells its lease when an answer came."""

    def _hear(self, answer: SyncAnswer) -> None:
        self.lease.received_at = self.now()  # type: ignore[attr-defined]
        super()._hear(answer)


class LeaseOfEachPage(Lease):
    """Renews the lease with each page, before everything is told."""

    def hear(self, answer: SyncAnswer) -> Heard:
        asked = self._outstanding
        heard = super().hear(answer)
        if heard is Heard.BEHIND and asked is not None:
            self.fresh = max(self.fresh, asked.asked_at)
        return heard


class HastyMirror(Mirror):
    """Keeps what was fetched, whatever has happened since it was read."""

    def _is_untouched_since(self, fetched: Fetched, position: int) -> bool:
        return True


class EarlyNumbers(Store):
    """Numbers an event when its transaction begins (BIGSERIAL): one that commits late appears behind the head."""

    def commit(self, kind: str, subject: str) -> None:
        primary = self.primary
        if self.world.random.random() < 0.5 or not primary.log:
            super().commit(kind, subject)
            return
        # A slow transaction took the number before; others have committed since, and verifiers have seen theirs.
        event = Event(primary.head.seq, kind, subject, int(self.world.now * 1_000_000), b"")
        primary.state.change(event)
        self._judge()


class ForgetfulStore(Store):
    """Goes on in the same epoch after a crash."""

    def next_epoch(self) -> str:
        return "e0"


class TrustingNode(Node):
    """Takes the position that it is asked about for its own."""

    def view(self, question: SyncQuestion, snapshot: Snapshot) -> rules.FeedView:
        return replace(super().view(question, snapshot), hash_there=question.position.hash)


class ZombieNode(Node):
    """Answers from the primary that it is wired to without asking whether it still can acknowledge."""

    def can_read(self) -> bool:
        return not self.network.is_cut(self.name, "store")


class AgelessNode(Node):
    """Answers from its snapshot as if it were new."""

    def answered(self, question: SyncQuestion, snapshot: Snapshot) -> SyncAnswer:
        return replace(super().answered(question, snapshot), age_s=0.0)


class NeverPrunedNode(Node):
    """Sends what is left of the feed, as if nothing had been taken away before it."""

    def view(self, question: SyncQuestion, snapshot: Snapshot) -> rules.FeedView:
        head, first = snapshot.head, max(question.position.seq, snapshot.min_seq - 1)
        there = question.position.hash
        return rules.FeedView(head, 1, there, tuple(snapshot.log[first : min(head.seq, first + 5)]))


class SleepingVerifier(Verifier):
    """Reads a clock that stands still while the machine sleeps."""

    slept = 0.0

    def stop(self, seconds: float) -> None:
        before = max(self.stopped_until, self.world.now)
        super().stop(seconds)
        self.slept += max(0.0, self.stopped_until - before)

    def now(self) -> float:
        return self.clock.at() - self.slept

    def decided(self, token: Token, pause: float) -> Principal | None:
        return self.lease.known(token.digest, self.now)


class LookingLast(Verifier):
    """Looks at its lease first and at the mirror afterwards."""

    def decided(self, token: Token, pause: float) -> Mirrored | None:
        return self.lease.known(token.digest, self.now)


@dataclass(frozen=True)
class Mistake:
    """A world with one thing wrong."""

    name: str
    parts: Parts


def _credulous(lease_s: float) -> Lease:
    return CredulousLease(new_lease(lease_s).mirror, lease_s)


MISTAKES: Final = (
    Mistake(
        "lease from receive time",
        Parts(lease=lambda s: LeaseFromReceipt(new_lease(s).mirror, s), verifier=ReceivingVerifier),
    ),
    Mistake(
        "lease renewed per page", Parts(lease=lambda s: LeaseOfEachPage(new_lease(s).mirror, s), weather=CALM_BUT_SLOW)
    ),
    Mistake(
        "late fetch inserted unconditionally",
        Parts(lease=lambda s: Lease(HastyMirror(most_entries=24), s), weather=CALM_BUT_SLOW),
    ),
    Mistake("numbers taken before the commit", Parts(store=EarlyNumbers)),
    Mistake(
        "no epoch and no hash check", Parts(lease=_credulous, node=TrustingNode, store=ForgetfulStore, weather=CRASHES)
    ),
    Mistake("a zombie answers without a barrier", Parts(node=ZombieNode)),
    Mistake("answers from memory without age", Parts(node=AgelessNode, has_aged_snapshots=True)),
    Mistake("truncation of the feed ignored", Parts(lease=_credulous, node=NeverPrunedNode, weather=CALM_BUT_SLOW)),
    Mistake("a clock that stops in suspend", Parts(verifier=SleepingVerifier)),
    Mistake("lease checked before the look-up", Parts(verifier=LookingLast)),
)
