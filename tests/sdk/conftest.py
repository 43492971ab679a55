"""A node to verify against, and clocks for the hand."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from keybearer.sdk.clocks import SYSTEM, Clocks
from keybearer.sdk.session import Surroundings
from tests.sdk.fake_node import FakeNode, running_node


@dataclass
class HandClocks:
    """The machine's clocks, moved on by hand."""

    slept_s: float = 0.0
    set_by_s: float = 0.0

    @property
    def surroundings(self) -> Surroundings:
        """Return them as a verifier takes them."""
        return Surroundings(
            clocks=Clocks(
                lambda: SYSTEM.boottime() + self.slept_s, lambda: SYSTEM.wall() + self.slept_s + self.set_by_s
            )
        )


@pytest.fixture
def node() -> Iterator[FakeNode]:
    """Run one node."""
    with running_node() as running:
        yield running


@pytest.fixture
def clocks() -> HandClocks:
    """Have clocks to move on."""
    return HandClocks()
