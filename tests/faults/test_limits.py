"""Whatever is lost, repeated, stopped or started anew: all verifiers together stay within the limit and its slack."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.limits.world import LIMIT, MISTAKES, World

STEPS = 400


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**64), verifiers=st.integers(1, 6), is_lending=st.booleans())
def test_the_documented_slack_is_never_exceeded(seed: int, verifiers: int, *, is_lending: bool) -> None:
    world = World(seed, verifiers=verifiers, is_lending=is_lending)
    world.run(STEPS)
    assert world.overstepped_by() <= 0


def test_one_verifier_alone_is_let_use_the_whole_limit() -> None:
    """A bound is easily kept by letting nobody through."""
    world = World(1, verifiers=1)
    while world.verifiers[0].granted.wait_s(1, 7, world.now * world.verifiers[0].rate) == 0:
        world.hurry()
    assert LIMIT * 0.8 < len(world.let_through) <= LIMIT


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_caught(mistake: str) -> None:
    for seed in range(100, 300):  # in these worlds the rarest of them shows soon, too
        world = World(seed, mistake, verifiers=6)
        world.run(STEPS)
        if world.overstepped_by() > 0:
            return
    pytest.fail(f"200 worlds have not shown it: {MISTAKES[mistake]}")
