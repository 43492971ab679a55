"""How far a change has come, out of what every node has told; what is not known is not confirmed."""

import pytest

from keybearer.server.records import Report
from keybearer.server.rules.spread import Spread, spread

A, B, OF_OTHER = ("ledger", "a"), ("ledger", "b"), ("people", "c")


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        pytest.param([], Spread(0, 0, True), id="nobody answers verifiers"),
        pytest.param([Report("e", 7, {})], Spread(0, 0, True), id="no verifiers"),
        pytest.param([Report("e", 7, {A: 7})], Spread(1, 1, True), id="confirmed"),
        pytest.param([Report("e", 9, {A: 8})], Spread(1, 1, True), id="confirmed more than that"),
        pytest.param([Report("e", 7, {A: 6})], Spread(1, 0, False), id="not yet"),
        pytest.param([Report("e", 7, {A: 0})], Spread(1, 0, False), id="has not said"),
        pytest.param([Report("e", 7, {A: 7, B: 6})], Spread(1, 0, False), id="one process of an API has not"),
        pytest.param([Report("e", 7, {A: 6, OF_OTHER: 7})], Spread(2, 1, False), id="one API has not"),
        pytest.param(
            [Report("e", 7, {A: 7}), Report("e", 6, {})], Spread(1, 1, False), id="a node was last heard before"
        ),
        pytest.param(
            [Report("e", 7, {A: 7}), Report("", 0, {})], Spread(1, 1, False), id="a node has told nothing yet"
        ),
        pytest.param([Report("e", 7, {A: 7}), Report("e", -1, {})], Spread(1, 1, False), id="a node has lost sight"),
        pytest.param([Report("e", 7, {A: 5}), Report("e", 7, {A: 7})], Spread(1, 1, True), id="it asks two nodes"),
        pytest.param([Report("e", 7, {A: 7}), Report("e", 7, {A: 5})], Spread(1, 1, True), id="in either order"),
        pytest.param([Report("d", 9, {A: 9})], Spread(1, 0, False), id="numbers of another lineage"),
        pytest.param([Report("d", 9, {A: 9}), Report("e", 7, {A: 7})], Spread(1, 1, False), id="a node is elsewhere"),
    ],
)
def test_a_change_is_certain_once_every_api_has_confirmed_it(reports: list[Report], expected: Spread) -> None:
    assert spread("e", 7, reports) == expected
