"""A small world in which nodes and verifiers share one limit: clocks drift, answers are lost, processes start anew."""

from dataclasses import dataclass, field
from random import Random
from typing import Final

from keybearer.server.rules.quota import beat_s, chunk, lent, life_s, slack
from keybearer.server.rules.shared_clock import SharedClock
from keybearer.verify.granted_calls import GrantedCalls
from keybearer.wire.quota import Grant, Terms, Want

LIMIT: Final = 200
WINDOW_S: Final = 60.0
DRIFT: Final = 0.01
USER, TEAM = 1, 7
_SECOND: Final = 1_000_000

MISTAKES: Final = {
    "each verifier counts for itself": "the limit holds in each process, not in all",
    "a node keeps the count in memory": "starting anew refills everything",
    "a node goes by the wall clock": "a jump forwards refills everything",
    "a node goes by its own clock": "each start of a machine is a jump",
    "granted calls do not expire": "what is hoarded is made together with what is regained",
    "an answer counts twice": "a replayed answer grants again what was granted before",
    "what was lent is not paid back": "who is cut off again and again is lent again and again",
}


@dataclass
class Store:
    """What the nodes share."""

    full_at: int = 0
    clock_at: int = 0
    beats: int = 0


@dataclass
class Node:
    """A process of the server, on a machine with a clock of its own."""

    started_at: float
    rate: float
    clock: SharedClock
    used_at: float = -1e9
    is_stopped: bool = False
    own_full_at: int = 0


@dataclass
class Verifier:
    """A process of an API."""

    rate: float
    granted: GrantedCalls = field(default_factory=GrantedCalls)
    asked: tuple[int, float] | None = None
    full_at: int = 0


class World:
    """
    Runs by chance, and keeps when calls were let through.

    Args:
        is_lending: calls are lent, as if no node had answered in time.
    """

    def __init__(self, seed: int, mistake: str | None = None, verifiers: int = 3, *, is_lending: bool = False) -> None:
        self.random = Random(seed)  # noqa: S311 - chance for a test
        self.mistake = mistake
        self.is_lending = is_lending or mistake == "what was lent is not paid back"
        self.now = 1_000.0
        self.wall_set_by = 0.0
        self.store = Store()
        self.nodes = [self._new_node() for _ in range(2)]
        self.verifiers = [self._new_verifier() for _ in range(verifiers)]
        self.processes = verifiers
        self.questions: list[tuple[int, Verifier, tuple[Want, ...]]] = []
        self.answers: list[tuple[int, Verifier, Grant]] = []
        self.let_through: list[float] = []
        self._number = 0

    def run(self, steps: int) -> None:
        """Let *steps* things happen."""
        happenings = [self.call, self.call, self.hurry, self.put, self.reach, self.hear, self.wait]
        rare = [self.lose, self.stop_or_go_on, self.restart_node, self.restart_verifier, self.set_wall_clock]
        rare += [self.come_back]
        for _ in range(steps):
            self.random.choice(rare if self.random.random() < 0.1 else happenings)()

    def overstepped_by(self) -> float:
        """Return by how many calls the documented bound was overstepped at worst, in any stretch of time."""
        worst, held, before = 0.0, 0.0, -1e9
        allowed = LIMIT + slack(LIMIT, WINDOW_S, self.processes) + self.is_lending * self.processes * lent(LIMIT)
        for at in self.let_through:
            held = max(0.0, held - (at - before) * (1 + DRIFT) * LIMIT / WINDOW_S) + 1
            worst, before = max(worst, held - allowed), at
        return worst

    def call(self) -> None:
        """Have a verifier asked for some calls at once."""
        verifier = self.random.choice(self.verifiers)
        for _ in range(self.random.choice([1, 1, 2, 5, 40])):
            if self._may_call(verifier):
                self.let_through.append(self.now)

    def hurry(self) -> None:
        """Have callers come to one verifier until it is told that nothing is left, its answers quick, some lost."""
        self._hurry(self.random.choice(self.verifiers), self.random.choice([3, 60, 400]))

    def come_back(self) -> None:
        """Have callers come to every verifier, stay away until all is regained, and come to all of them together."""
        for verifier in self.verifiers:
            self._hurry(verifier, self.random.choice([10, 20, 30]))
        self._let_pass(self.random.choice([61.0, 65.0]))
        for verifier in self.verifiers:
            self._hurry(verifier, 400)

    def _hurry(self, verifier: Verifier, times: int) -> None:
        for _ in range(times):
            if self._may_call(verifier):
                self.let_through.append(self.now)
            elif verifier.granted.wait_s(USER, TEAM, self._local(verifier.rate)) > 0:
                break
            elif self.random.random() < 0.05:
                verifier.asked = None
            else:
                self._put(verifier)
                self.reach(-1)
                self.hear(-1)

    def put(self) -> None:
        """Have a verifier put its question."""
        self._put(self.random.choice(self.verifiers))

    def _put(self, verifier: Verifier) -> None:
        if verifier.asked is None and verifier.granted.is_wanting:
            self._number += 1
            verifier.asked = (self._number, self._local(verifier.rate))
            self.questions.append((self._number, verifier, verifier.granted.wants(verifier.asked[1])))

    def reach(self, place: int | None = None) -> None:
        """Have a question reach a node, perhaps not for the last time."""
        running = [node for node in self.nodes if not node.is_stopped]
        if not self.questions or not running:
            return
        place = self.random.randrange(len(self.questions)) if place is None else place
        number, verifier, wants = self.questions[place]
        if self.random.random() < 0.8:
            del self.questions[place]
        node = self.random.choice(running)
        for want in wants:
            self.answers.append((number, verifier, self._granted(node, want)))

    def hear(self, place: int | None = None) -> None:
        """Have an answer reach its verifier, perhaps not for the last time."""
        if not self.answers:
            return
        place = self.random.randrange(len(self.answers)) if place is None else place
        number, verifier, grant = self.answers[place]
        if self.random.random() < 0.7:
            del self.answers[place]
        if self.mistake == "an answer counts twice":
            verifier.asked = verifier.asked or (number, self._local(verifier.rate))
        elif verifier.asked is None or verifier.asked[0] != number:
            return
        life = WINDOW_S * 1e6 if self.mistake == "granted calls do not expire" else life_s(WINDOW_S)
        if self.mistake == "what was lent is not paid back":
            verifier.granted._place((USER, TEAM)).owed = 0
        verifier.granted.take_in(Terms(LIMIT, WINDOW_S, life), [grant], verifier.asked[1], self._local(verifier.rate))
        verifier.asked = None

    def lose(self) -> None:
        """Have a verifier give up waiting."""
        self.random.choice(self.verifiers).asked = None

    def wait(self) -> None:
        """Let time go by; nodes that are in use beat."""
        self._let_pass(self.random.choice([0.01, 0.1, 0.5, 0.5, 1.0, 2.9, 3.1, 20.0, 61.0]))

    def _let_pass(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + beat_s(WINDOW_S))
            for node in self.nodes:
                if not node.is_stopped and self._node_local(node) - node.used_at <= WINDOW_S * _SECOND:
                    self._beat(node)
                elif not node.is_stopped:
                    node.clock.seen(self.store.clock_at, self.store.beats, self._node_local(node))

    def stop_or_go_on(self) -> None:
        """Stop a node as SIGSTOP does, or let it go on."""
        node = self.random.choice(self.nodes)
        node.is_stopped = not node.is_stopped

    def restart_node(self) -> None:
        """Start a node anew, on a machine that was started long ago or just now."""
        self.nodes[self.random.randrange(len(self.nodes))] = self._new_node()

    def restart_verifier(self) -> None:
        """Start a verifier anew; what the old one held is lost."""
        self.verifiers[self.random.randrange(len(self.verifiers))] = self._new_verifier()
        self.processes += 1

    def set_wall_clock(self) -> None:
        """Set the wall clock forwards or back."""
        self.wall_set_by += self.random.choice([-3600.0, 3600.0])

    def _may_call(self, verifier: Verifier) -> bool:
        if self.mistake == "each verifier counts for itself":
            own = chunk((LIMIT, round(WINDOW_S * _SECOND)), verifier.full_at, round(self.now * _SECOND), 1)
            verifier.full_at = own.full_at
            return own.calls == 1
        now = self._local(verifier.rate)
        if verifier.granted.spend(USER, TEAM, now) is not None:
            return True
        if verifier.granted.wait_s(USER, TEAM, now) == 0:
            verifier.granted.want(USER, TEAM)
        is_cut_off = self.is_lending and self.random.random() < 0.8
        return is_cut_off and verifier.granted.lend(USER, TEAM, now) is not None

    def _granted(self, node: Node, want: Want) -> Grant:
        in_memory = self.mistake == "a node keeps the count in memory"
        node.used_at = self._node_local(node)
        full_at = node.own_full_at if in_memory else self.store.full_at
        found = chunk((LIMIT, round(WINDOW_S * _SECOND)), full_at, self._reading(node), want.calls)
        if in_memory:
            node.own_full_at = found.full_at
        else:
            self.store.full_at = found.full_at
        return Grant(USER, TEAM, found.calls, found.remaining, found.retry_after / _SECOND)

    def _reading(self, node: Node) -> int:
        if self.mistake == "a node goes by the wall clock":
            return round((self.now + self.wall_set_by) * _SECOND)
        if self.mistake == "a node goes by its own clock":
            return self._node_local(node)
        reading = node.clock.reading(self._node_local(node))
        return self._beat(node) if reading is None else reading

    def _beat(self, node: Node) -> int:
        """Do what `store/rate_limits.move_clock` does in SQL."""
        told, store = node.clock.beat(self._node_local(node)), self.store
        if told.at > store.clock_at and (told.is_young or told.beats == store.beats):
            store.clock_at = told.at
        store.beats += 1
        return node.clock.heard(told, store.clock_at, store.beats, self._node_local(node))

    def _new_node(self) -> Node:
        started_at = self.now - self.random.choice([0.0, 1e3, 1e6])
        return Node(started_at, self._any_rate(), SharedClock(round(beat_s(WINDOW_S) * _SECOND)))

    def _new_verifier(self) -> Verifier:
        return Verifier(self._any_rate())

    def _any_rate(self) -> float:
        return self.random.uniform(1 - DRIFT, 1 + DRIFT)

    def _local(self, rate: float) -> float:
        return self.now * rate

    def _node_local(self, node: Node) -> int:
        return round((self.now - node.started_at) * node.rate * _SECOND)
