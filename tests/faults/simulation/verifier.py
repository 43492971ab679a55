"""A verifier that runs the shipped lease and mirror, is stopped now and then, and notes what it accepts."""

from collections.abc import Callable
from dataclasses import dataclass

from keybearer.verify.lease import INTERVAL_S, Heard, Lease
from keybearer.verify.mirror import Mirror
from keybearer.wire.denial import Denial
from keybearer.wire.feed import Fetched, SyncAnswer
from keybearer.wire.principal import Principal
from tests.faults.simulation.node import Node
from tests.faults.simulation.store import WRITE, Store, Token
from tests.faults.simulation.world import Clock, Network, World

TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Acceptance:
    """A call that was let through to write, and how long its token may not have written by then."""

    token: Token
    at: float
    late_s: float


class Verifier:
    """One API process."""

    def __init__(
        self, name: str, world: World, network: Network, nodes: list[Node], store: Store, lease: Lease
    ) -> None:
        self.name = name
        self.world = world
        self.network = network
        self.nodes = nodes
        self.store = store
        self.lease = lease
        self.clock = Clock(world)
        self.accepted: list[Acceptance] = []
        self.stopped_until = 0.0
        self._nonces = 0
        self._waits_for: str | None = None
        self._node = world.random.randrange(len(nodes))
        self._sync()
        world.every(0.08, self._call)

    def now(self) -> float:
        """Read the clock."""
        return self.clock.at()

    def stop_a_while(self) -> None:
        """Be stopped for up to nine seconds."""
        self.stop(self.world.random.uniform(0.1, 9))

    def stop(self, seconds: float) -> None:
        """Be stopped: nothing is done and nothing is heard for so long."""
        self.stopped_until = max(self.stopped_until, self.world.now + seconds)

    def _running(self, action: Callable[[], None]) -> None:
        """Do *action* now, or when the process goes on."""
        wait = self.stopped_until - self.world.now
        if wait > 0:
            self.world.after(wait, lambda: self._running(action))
        else:
            action()

    def _sync(self) -> None:
        self._running(self._ask)

    def _ask(self) -> None:
        self._nonces += 1
        nonce = f"{self.name}.{self._nonces}"
        question = self.lease.ask(nonce, self.now())
        self._waits_for = nonce
        node = self.nodes[self._node]

        def send_back(answer: SyncAnswer) -> None:
            self.network.send(node.name, self.name, lambda: self._running(lambda: self._hear(answer)))

        self.network.send(self.name, node.name, lambda: node.sync(question, send_back))
        self.world.after(TIMEOUT_S, lambda: self._running(lambda: self._give_up(nonce)))

    def _give_up(self, nonce: str) -> None:
        """Try another node."""
        if self._waits_for == nonce:
            self._node = (self._node + 1) % len(self.nodes)
            self._ask()

    def _hear(self, answer: SyncAnswer) -> None:
        heard = self.lease.hear(answer)
        if answer.nonce != self._waits_for:
            return
        self._waits_for = None
        if heard in {Heard.BEHIND, Heard.LOST}:
            self._ask()
        else:
            self.world.after(INTERVAL_S * self.world.random.uniform(0.8, 1.2), self._sync)

    def _call(self) -> None:
        self._running(self._decide)

    def _decide(self) -> None:
        random = self.world.random
        token = random.choice(self.store.presented)
        pause = random.uniform(0, 9) if random.random() < 0.004 else 0.0
        principal = self.decided(token, pause)
        if pause:
            self.stop(pause)
        if principal is not None:
            self.world.after(pause, lambda: self.note(token, principal))
        elif token.digest not in self.lease.mirror.entries:
            self._fetch(token)

    def decided(self, token: Token, pause: float) -> Principal | None:
        """Ask the mirror; the process is stopped for *pause* between the look-up and the reading of the clock."""
        return self.lease.known(token.digest, lambda: self.clock.at(pause))

    def _fetch(self, token: Token) -> None:
        asked_at = self.now()
        node = self.nodes[self._node]

        def send_back(answer: Fetched | Denial) -> None:
            self.network.send(
                node.name, self.name, lambda: self._running(lambda: self._fetched(token, answer, asked_at))
            )

        self.network.send(self.name, node.name, lambda: node.fetch(token, send_back))

    def _fetched(self, token: Token, answer: Fetched | Denial, asked_at: float) -> None:
        if isinstance(answer, Denial):
            return
        principal = self.lease.fetched(token.digest, answer, asked_at, self.now())
        if isinstance(principal, Principal):
            self.note(token, principal)

    def note(self, token: Token, principal: Principal) -> None:
        """Let a call through, if the token may write."""
        if principal.can(WRITE):
            since = self.store.denied_since.get(token)
            late_s = 0.0 if since is None else self.world.now - since
            self.accepted.append(Acceptance(token, self.world.now, late_s))


def new_lease(lease_s: float) -> Lease:
    """Make the shipped lease with a small memory, so that a minute reaches its bounds."""
    return Lease(Mirror(most_entries=24, events_remembered=40, most_tombstones=40), lease_s)
