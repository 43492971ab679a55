"""Real processes in trouble: whatever breaks, no verifier accepts a token longer than the bound after its end."""

from pathlib import Path

import pytest

from tests.faults.processes.rig import Store, rig_on
from tests.faults.processes.rounds import MISTAKES, play_round
from tests.faults.processes.troubles import NODE_TROUBLES, STORE_TROUBLES, VERIFIER_TROUBLES

QUICK = (
    "F2 killed",
    "F7 cut off",
    "F7 told nothing",
    "F8 losing",
    "F8 doubled",
    "F9 half-open",
    "F9 replayed",
    "F10 stopped",
    "F13 asleep",
)
ON_SQLITE = ("F1 killed",)
ON_POSTGRES = ("F10 stopped", "F7 told nothing, to the store", "F7 turned away, to the store")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def store(database_url: str, request: pytest.FixtureRequest) -> Store:
    """Have the database, and the PostgreSQL that it is in."""
    return Store(database_url, None if "sqlite" in database_url else request.getfixturevalue("postgres"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_verifiers_in_trouble_keep_the_bound_and_mistaken_ones_are_caught(store: Store, tmp_path: Path) -> None:
    troubles = {name: VERIFIER_TROUBLES[name] for name in QUICK}
    troubles |= {mistake: VERIFIER_TROUBLES[trouble] for mistake, trouble in MISTAKES.items()}
    named = {name: name if name in MISTAKES else "" for name in troubles}
    async with rig_on(tmp_path, store, seed=1, verifiers=named) as rig:
        await rig.until_quiet()
        await play_round(rig, troubles)
        assert {late.verifier for late in rig.ledger.late()} == set(MISTAKES)
        assert await rig.living_dead() == []


async def test_nodes_in_trouble_keep_the_bound_and_come_back(store: Store, tmp_path: Path) -> None:
    named = {"asks the first": "", "asks both": ""}
    troubles = NODE_TROUBLES | STORE_TROUBLES
    async with rig_on(tmp_path, store, seed=1, verifiers=named, asking_both={"asks both"}) as rig:
        for name in ON_POSTGRES if store.cluster else ON_SQLITE:
            await play_round(rig, {}, troubles[name])
            assert rig.ledger.late() == [], name
        assert await rig.living_dead() == []
