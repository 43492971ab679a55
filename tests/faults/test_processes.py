"""Real processes in trouble: whatever breaks, no verifier accepts a token longer than the bound after its end."""

import asyncio
import shutil
from pathlib import Path

import apsw
import pytest

from tests.faults.processes.programs import until
from tests.faults.processes.rig import Store, rig_on
from tests.faults.processes.rounds import MISTAKES, play_round
from tests.faults.processes.troubles import NODE_TROUBLES, STORE_TROUBLES, VERIFIER_TROUBLES
from tests.server.store.trial import execute

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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_file_that_was_put_back_revives_nothing_that_a_verifier_saw_end(store: Store, tmp_path: Path) -> None:
    """F5: what was acknowledged after the copy is lost to the nodes; who saw it end goes on refusing it."""
    async with rig_on(tmp_path, store, seed=1, verifiers={"Anna": ""}) as rig:
        (ended, its_text), (young, text) = await rig.watched_token(), await rig.watched_token()
        copy = tmp_path / "copy.db"
        file = Path(store.url.removeprefix("sqlite:///"))
        await asyncio.to_thread(copied, file, copy)
        made_since = f"DELETE FROM tokens WHERE last4 = '{text[-4:]}'"  # noqa: S608 - our own
        await execute(f"sqlite:///{copy}", made_since)
        await rig.end(ended, its_text)
        await until(lambda: rig.ledger.has_refused("Anna", ended), "Anna sees it end")
        for node in rig.nodes:
            node.kill()
        put_back(copy, file)
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in rig.nodes))
        rig.acknowledge(young, text)
        await rig.until_back()
        await rig.until_over(young)
        assert rig.ledger.late() == []
        assert rig.ledger.has_refused("Anna", young)
        assert await rig.living_dead() == [ended, ended], "the nodes know of its end: then the copy was none"


def copied(file: Path, copy: Path) -> None:
    connection = apsw.Connection(str(file))
    connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()


def put_back(copy: Path, file: Path) -> None:
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    shutil.copy(copy, file)
