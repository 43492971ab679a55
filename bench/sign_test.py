"""The sign test: whether two kinds of request can be told apart by how long their answers take."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

# By luck alone one comparison in 150,000 lies further out than this many standard deviations.
_FURTHEST_BY_LUCK: Final = 4.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    In how many pairs the first of two took longer.

    Both of a pair are asked one right after the other, and a coin decides which of them goes first. If it makes no
    difference to the server which one it is, the one that takes longer is the first of the pair's two names with a
    chance of one half. That holds however the times are spread, and whatever else the machine does meanwhile.

    Source: W. J. Dixon, A. M. Mood, The statistical sign test, JASA 41 (1946); the threshold is the one of
        G. Goodwill et al., A testing methodology for side-channel resistance validation, NIAT 2011.
    """

    longer: int
    pairs: int

    @property
    def share(self) -> float:
        """The share of pairs in which the first took longer: how often who guesses by one such pair is right."""
        return self.longer / self.pairs

    @property
    def reach_of_luck(self) -> float:
        """How far from one half the share may be by luck; of a few pairs anything may be."""
        return min(_FURTHEST_BY_LUCK * 0.5 / sqrt(self.pairs), 0.5)

    @property
    def tells_apart(self) -> bool:
        """Whether the share is further from one half than luck reaches."""
        return abs(self.share - 0.5) > self.reach_of_luck


def judge(pairs: Sequence[tuple[float, float]]) -> Verdict:
    """Count the *pairs*, each the seconds of the first and of the second; equal ones say nothing and are left out."""
    telling = [(first, second) for first, second in pairs if first != second]
    return Verdict(sum(first > second for first, second in telling), len(telling))
