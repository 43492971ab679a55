"""How long a verifier may believe its mirror: the sync protocol, without the network and without a clock of its own."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from keybearer.verify.mirror import Mirror, Mirrored
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.feed import NO_HASH, Event, Fetched, Position, SyncAnswer, SyncQuestion, chain_hash
from keybearer.wire.principal import Principal

LEASE_S: Final = 8.0
INTERVAL_S: Final = 1.0
BOUND_S: Final = 10.0
DRIFT: Final = 0.01  # how far from real time a clock's rate may be
NOWHERE: Final = Position("", 0, NO_HASH)


class Heard(Enum):
    """What an answer means for the mirror."""

    NOTHING = auto()  # the answer to another question, or of a stale node: it is ignored
    RENEWED = auto()  # the mirror is as new as the answer's snapshot; the lease is renewed
    BEHIND = auto()  # the answer did not have all events: ask again at once
    LOST = auto()  # the events do not follow on each other: all is forgotten, ask again at once


@dataclass(frozen=True, slots=True)
class _Outstanding:
    nonce: str
    epoch: str
    asked_at: float


class Lease:
    """
    Follows the feed and keeps a mirror true to it.

    Times are seconds on the verifier's own CLOCK_BOOTTIME, which goes on while the machine sleeps.

    Args:
        lease_s: for how long after the beginning of a question the mirror may be believed.

    Source: coherence.md 5.3 (V1 to V5), 5.5 (the proof).
    """

    def __init__(self, mirror: Mirror, lease_s: float = LEASE_S) -> None:
        self.mirror = mirror
        self._entry_of = mirror.entries.get  # the dictionary is emptied now and then, never replaced
        self.position = NOWHERE
        self.fresh = -math.inf
        self.lease_s = lease_s
        self._outstanding: _Outstanding | None = None

    def ask(self, nonce: str, now: float) -> SyncQuestion:
        """
        Begin a question; an answer to an earlier one is not heard any more.

        Args:
            nonce: never used before.
            now: read before anything is sent: from here the lease runs, however long the answer takes.
        """
        self._outstanding = _Outstanding(nonce, self.position.epoch, now)
        return SyncQuestion(nonce, self.position)

    def hear(self, answer: SyncAnswer) -> Heard:
        """Take an answer in: apply what it tells, and renew the lease if that was all there is."""
        asked, epoch = self._outstanding, self.position.epoch
        if asked is None or answer.nonce != asked.nonce or asked.epoch != epoch or not answer.age_s >= 0:
            return Heard.NOTHING
        head = answer.head
        if not answer.is_reset and (head.epoch != epoch or head.seq < self.position.seq):
            return Heard.NOTHING
        self._outstanding = None
        if answer.is_reset:
            self.mirror.begin_at(head.seq)
            self.position, self.fresh = head, -math.inf  # an earlier lease was for what was known at another position
        elif not all(self._follow(event) for event in answer.events) or self._contradicts(head):
            self.forget()
            return Heard.LOST
        if self.position.seq < head.seq:
            return Heard.BEHIND
        self.fresh = max(self.fresh, asked.asked_at - answer.age_s * (1 + 3 * DRIFT))
        return Heard.RENEWED

    def known(self, digest: bytes, clock: Callable[[], float]) -> Mirrored | None:
        """
        Return who acts by the token of this digest; None if that is not known, or not for certain.

        The clock is read last: a process that is stopped for a while between the look-up and the reading finds its
        lease out when it goes on. The lease is read first: a thread that is stopped for a while after the look-up does
        not take a lease that another thread has renewed since, by taking in that this very token ended.

        Args:
            clock: gives seconds, BOOTTIME.

        Source: coherence.md 5.3, V4.
        """
        fresh = self.fresh
        entry = self._entry_of(digest)
        if entry is None:
            return None
        now = clock()
        return entry if now < entry.deadline and now - fresh <= self.lease_s else None

    def is_out(self, now: float) -> bool:
        """Tell whether the mirror may not be believed any more."""
        return now - self.fresh > self.lease_s

    def valid_until(self, principal: Principal) -> float:
        """
        Return until when a principal may be relied on if nothing more is heard.

        Source: coherence.md 5.3, V7.
        """
        leased = self.fresh + self.lease_s
        return min(leased, principal.deadline) if isinstance(principal, Mirrored) else leased

    def fetched(self, digest: bytes, fetched: Fetched, asked_at: float, now: float) -> Principal | Denial | None:
        """
        Take in a token that was fetched, and tell who acts by it in this one call.

        Args:
            digest: SHA-256 of the token's text.
            asked_at: read before the question was sent.

        Returns:
            None if the answer proves nothing any more: it was too long in coming, or older than an event about the
            token that was taken in meanwhile. By its next question this verifier confirms that event, and somebody may
            wait for the moment from which on nobody acts on what was before it.

        Source: coherence.md 5.3, V5; 5.5, consequence (iii).
        """
        if self.mirror.is_buried(fetched):
            return _denied(Reason.REVOKED, fetched)
        deadline = asked_at + fetched.remaining_s * (1 - DRIFT)
        entry: Mirrored | None = None
        if fetched.epoch == self.position.epoch:
            entry = self.mirror.insert(digest, fetched, self.position.seq, deadline)
            if entry is None:
                return None
        if now - asked_at > self.lease_s:
            return None
        if now >= deadline:
            return _denied(Reason.EXPIRED, fetched)
        return entry or fetched.principal

    def void(self) -> None:
        """Believe nothing until the next answer to a question that is yet to be begun."""
        self._outstanding = None
        self.fresh = -math.inf

    def forget(self) -> None:
        """Start again: the mirror is empty, and not believed until the next answer."""
        self.mirror.begin_at(0)
        self.position = NOWHERE
        self.fresh = -math.inf

    def _follow(self, event: Event) -> bool:
        """Apply the next event; False if it is not the next one, or not part of the same history."""
        before = self.position
        chained = chain_hash(before.hash, event.seq, event.kind, event.subject, event.at)
        if event.seq != before.seq + 1 or event.hash != chained:
            return False
        self.mirror.apply(event)
        self.position = Position(before.epoch, event.seq, event.hash)
        return True

    def _contradicts(self, head: Position) -> bool:
        """Tell whether the events led past the head, or to the head by another history."""
        return self.position.seq > head.seq or (self.position.seq == head.seq and self.position.hash != head.hash)


def _denied(reason: Reason, fetched: Fetched) -> Denial:
    return Denial(reason, fetched.principal.token_last4, fetched.principal.bearer)
