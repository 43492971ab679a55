"""A minute in which everything happens: fail-overs, crashes, cut links, bursts, stopped processes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from keybearer.verify.lease import DRIFT, Lease
from tests.faults.simulation.node import Node
from tests.faults.simulation.store import Store
from tests.faults.simulation.verifier import Acceptance, Verifier, new_lease
from tests.faults.simulation.world import Network, World

LEASE_S: Final = 4.0
BOUND_S: Final = LEASE_S / (1 - DRIFT) + 1e-6
MINUTE_S: Final = 60.0


@dataclass(frozen=True)
class Weather:
    """How often things go wrong: seconds from one time to the next, in the mean."""

    links_cut: float = 6
    store_cut: float = 12
    fail_over: float = 25
    crash: float = 20
    stop: float = 10


MIXED: Final = Weather()
CRASHES: Final = Weather(links_cut=20, store_cut=1_000, fail_over=1_000, crash=3, stop=15)
CALM_BUT_SLOW: Final = Weather(links_cut=10, store_cut=1_000, fail_over=1_000, crash=1_000, stop=5)


@dataclass(frozen=True)
class Parts:
    """What a world is made of; a mistake puts another part in the place of one."""

    lease: Callable[[float], Lease] = new_lease
    node: type[Node] = Node
    verifier: type[Verifier] = Verifier
    store: type[Store] = Store
    has_aged_snapshots: bool = False
    weather: Weather = MIXED


def parts_of(seed: int) -> Parts:
    """Return the shipped parts in the weather of this seed, every other time with aged snapshots."""
    return Parts(has_aged_snapshots=seed % 2 == 1, weather=(MIXED, CRASHES, CALM_BUT_SLOW)[seed % 3])


@dataclass(frozen=True)
class Minute:
    """What was seen."""

    seed: int
    accepted: list[Acceptance] = field(default_factory=list)

    @property
    def violations(self) -> list[Acceptance]:
        """Calls that were let through too late after the commit that denied them."""
        return [one for one in self.accepted if one.late_s > BOUND_S]


def run_minute(seed: int, parts: Parts = Parts()) -> Minute:
    """Let a minute pass in the world of this seed."""
    world = World(seed)
    network = Network(world)
    store = parts.store(world)
    nodes = [parts.node(name, world, network, store) for name in ("n1", "n2")]
    if parts.has_aged_snapshots:
        for node in nodes:
            node.reads_now_and_then()
    verifiers = [
        parts.verifier(name, world, network, nodes, store, parts.lease(LEASE_S)) for name in ("v1", "v2", "v3")
    ]
    _disturb(parts.weather, world, network, store, nodes)
    for verifier in verifiers:
        world.every(parts.weather.stop, verifier.stop_a_while)
    world.run(MINUTE_S)
    return Minute(seed, [one for verifier in verifiers for one in verifier.accepted])


def _disturb(weather: Weather, world: World, network: Network, store: Store, nodes: list[Node]) -> None:
    """Let things go wrong."""

    def follow(node: Node) -> None:
        node.rewire(store.primary)

    def fail_over() -> None:
        store.fail_over()
        for node in nodes:
            world.after(world.random.uniform(0, 20), partial(follow, node))

    def crash() -> None:
        store.crash()
        for node in nodes:
            if not node.primary.is_fenced:
                node.rewire(store.primary)
        store.burst(1, 6)  # what everybody had waited with

    world.every(weather.links_cut, lambda: network.cut(["v1", "v2", "v3"], ["n1", "n2"]))
    world.every(weather.store_cut, lambda: network.cut(["n1", "n2"], ["store"]))
    world.every(weather.fail_over, fail_over)
    world.every(weather.crash, crash)
