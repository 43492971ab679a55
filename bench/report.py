"""The figures as lines of text."""

from collections.abc import Iterator

from bench.measures import Candidate, Comparison, Figure


def lines(figure: Figure) -> Iterator[str]:
    """Write a figure: each candidate, then how they stand to each other."""
    yield ""
    yield figure.title
    for candidate in figure.candidates:
        yield f"  {candidate.name:<44}{_found(candidate)}"
    for comparison in figure.comparisons:
        yield f"  {_compared(comparison)}"
    yield from (f"  {note}" for note in figure.notes)


def _found(candidate: Candidate) -> str:
    p99 = f"   p99 {candidate.p99_ms:6.2f} ms" if candidate.p99s_ms else ""
    return f"{candidate.rate:>9,.0f}/s   spread {candidate.spread:4.0%}{p99}"


def _compared(comparison: Comparison) -> str:
    goal = f"   ({'at most' if comparison.is_cost else 'goal'} {comparison.goal:.1f})" if comparison.goal else ""
    verb = "takes" if comparison.is_cost else "="
    return f"{comparison.ours.name} {verb} {comparison.ratio:.2f} x {comparison.other.name}{goal}"
