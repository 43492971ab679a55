"""Rounds of one candidate, and how one candidate stands to another."""

from dataclasses import dataclass, field
from statistics import median

from bench.load import Round


@dataclass(frozen=True, slots=True)
class Pace:
    """How long everything takes; times in seconds, ``codes`` for each candidate and round."""

    rounds: int
    round_s: float
    warm_up_s: float
    codes: int
    mirrored_tokens: int
    weighed_tokens: int
    revocations: int
    verifiers: int
    batches: int
    searched_records: int


@dataclass(slots=True)
class Candidate:
    """What is measured, and what its rounds found; one list entry for each round."""

    name: str
    rates: list[float] = field(default_factory=list)
    p99s_ms: list[float] = field(default_factory=list)

    def take(self, found: Round) -> None:
        """Keep one round."""
        self.rates.append(found.rate)
        self.p99s_ms.append(found.latency(0.99) * 1000)

    @property
    def rate(self) -> float:
        """The median of the rounds, per second."""
        return median(self.rates)

    @property
    def best(self) -> float:
        """The best of the rounds, per second: what others on the machine took least of."""
        return max(self.rates)

    @property
    def p99_ms(self) -> float:
        """The median of the rounds' 99th percentile, in milliseconds."""
        return median(self.p99s_ms)

    @property
    def spread(self) -> float:
        """How far the fastest and the slowest round are apart, as a share of the median."""
        return (max(self.rates) - min(self.rates)) / self.rate


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    How many times as much *ours* does as *other*; both were measured in turns, in one run.

    Args:
        is_cost: tell how many times as long it takes instead; the goal is a limit then.
    """

    ours: Candidate
    other: Candidate
    goal: float | None = None
    is_cost: bool = False

    @property
    def ratio(self) -> float:
        """The median of the ratios of the rounds, which neighbours on the machine disturb less than the medians'."""
        rates = zip(self.ours.rates, self.other.rates, strict=True)
        return median(theirs / mine if self.is_cost else mine / theirs for mine, theirs in rates)


@dataclass(frozen=True, slots=True)
class Figure:
    """One table of the report."""

    title: str
    candidates: tuple[Candidate, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()
