"""No token is accepted longer than the bound after the commit that denied it; each naive mistake breaks that."""

import pytest

from tests.faults.simulation.mistakes import MISTAKES, Mistake
from tests.faults.simulation.run import parts_of, run_minute

SEEDS = 500
AT_ONCE = 25
MOST_SEEDS_FOR_A_MISTAKE = 120


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_the_bound_holds_in_every_world(first: int) -> None:
    accepted = 0
    for seed in range(first, first + AT_ONCE):
        minute = run_minute(seed, parts_of(seed))
        assert minute.violations == [], seed
        accepted += len(minute.accepted)
    assert accepted > 100 * AT_ONCE  # it is no proof if nothing is let through


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_the_simulation_catches_each_mistake(mistake: Mistake) -> None:
    assert any(run_minute(seed, mistake.parts).violations for seed in range(MOST_SEEDS_FOR_A_MISTAKE))
