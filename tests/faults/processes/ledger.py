"""What was acknowledged and what was accepted, all on the one clock of this host; and what of it must not have been."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faults.processes.verifying import ACCEPTED, REFUSED


@dataclass(frozen=True, slots=True)
class Late:
    """An acceptance that must not have been; *by_s*: so long after it ended to be allowed."""

    verifier: str
    token: str
    by_s: float


@dataclass(slots=True)
class Ledger:
    """
    What the verifiers were seen to do; times are seconds of the host's CLOCK_BOOTTIME.

    Args:
        bound_s: for how long after the acknowledgement of its end a token may still be accepted.
    """

    bound_s: float
    ended_at: dict[str, float] = field(default_factory=dict)
    _seen: dict[tuple[str, str], list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))

    def note(self, verifier: str, token: str, outcome: str, at: float) -> None:
        """Write down what a verifier says that it did."""
        self._seen[verifier, token].append((at, outcome))

    def end(self, token: str, at: float) -> None:
        """Write down that the end of a token was acknowledged."""
        self.ended_at[token] = at

    def first(self, verifier: str, token: str, since: float = 0.0) -> float | None:
        """Return when a verifier first accepted a token since then; None if it did not."""
        return next((at for at, outcome in self._seen[verifier, token] if at >= since and outcome == ACCEPTED), None)

    def has_refused(self, verifier: str, token: str) -> bool:
        """Tell whether a verifier has refused a token."""
        return any(outcome == REFUSED for _, outcome in self._seen[verifier, token])

    def late(self) -> list[Late]:
        """Return every verifier that accepted a token after the bound, with its latest acceptance."""
        return [
            Late(verifier, token, after_s - self.bound_s)
            for verifier, token, after_s in self._last_after_the_end()
            if after_s > self.bound_s
        ]

    def slowest_s(self) -> float:
        """Return how long after an acknowledged end the last acceptance of all came, seconds."""
        return max((after_s for _, _, after_s in self._last_after_the_end()), default=0.0)

    def latest(self, verifier: str, token: str) -> float:
        """Return when this verifier last accepted this token; 0 if it never did."""
        return max((at for at, outcome in self._seen[verifier, token] if outcome == ACCEPTED), default=0.0)

    def _last_after_the_end(self) -> Iterator[tuple[str, str, float]]:
        for verifier, token in list(self._seen):
            if token in self.ended_at:
                yield verifier, token, self.latest(verifier, token) - self.ended_at[token]
