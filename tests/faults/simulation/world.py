"""Real time, chance, and a network that delays, loses, repeats and cuts."""

import heapq
from collections.abc import Callable
from itertools import count
from random import Random

Action = Callable[[], None]


class World:
    """Runs actions in the order of their times; the same seed, the same world."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - to be repeatable, not to be secret
        self.now = 0.0
        self._order = count()
        self._queue: list[tuple[float, int, Action]] = []

    def after(self, delay: float, action: Action) -> None:
        """Do *action* so many seconds from now."""
        heapq.heappush(self._queue, (self.now + delay, next(self._order), action))

    def every(self, mean: float, action: Action) -> None:
        """Do *action* again and again, at random moments, so many seconds apart in the mean."""

        def again() -> None:
            action()
            self.after(self.random.expovariate(1 / mean), again)

        self.after(self.random.expovariate(1 / mean), again)

    def run(self, until: float) -> None:
        """Let time pass."""
        while self._queue and self._queue[0][0] <= until:
            self.now, _, action = heapq.heappop(self._queue)
            action()


class Clock:
    """A process's BOOTTIME: it begins anywhere and runs up to 1 % too fast or too slow."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rate = world.random.uniform(0.99, 1.01)
        self._offset = world.random.uniform(0, 1_000)

    def at(self, ahead: float = 0.0) -> float:
        """Tell what it will show so many real seconds from now."""
        return self._offset + (self._world.now + ahead) * self._rate


class Network:
    """Carries messages between places; each direction between two places can be cut."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._cut_until: dict[tuple[str, str], float] = {}

    def cut(self, places: list[str], others: list[str]) -> None:
        """Cut some link for a while, one way or both."""
        random = self._world.random
        one, other = random.choice(places), random.choice(others)
        until = self._world.now + random.uniform(0.5, 12)
        directions = random.choice(([(one, other)], [(other, one)], [(one, other), (other, one)]))
        for direction in directions:
            self._cut_until[direction] = until

    def is_cut(self, source: str, target: str) -> bool:
        """Tell whether nothing goes that way now."""
        return self._cut_until.get((source, target), 0.0) > self._world.now

    def send(self, source: str, target: str, arrive: Action) -> None:
        """Let a message arrive some time, perhaps twice, perhaps never."""
        random = self._world.random
        for _ in range(2 if random.random() < 0.03 else 1):
            if not self.is_cut(source, target) and random.random() > 0.02:
                self._world.after(self._delay(), arrive)

    def _delay(self) -> float:
        random = self._world.random
        chance = random.random()
        if chance < 0.9:
            return random.uniform(0.001, 0.03)
        return random.uniform(0.03, 1) if chance < 0.97 else random.uniform(1, 9)
