"""Records get places and signed checkpoints; whatever crashes, races or is put back, no size has two signed roots."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, delete

from keybearer.audit.trust import is_signed
from keybearer.server.reads.activity_export import stored_chunks
from keybearer.server.sealing.audit import why_damaged
from keybearer.server.sealing.integrating import integrate
from keybearer.server.sealing.key import KEY, signer_of
from keybearer.server.sealing.sealer import Sealer, SealingTrouble
from keybearer.server.sealing.witness import Witness
from keybearer.server.store.database import Database, Transaction, open_database
from keybearer.server.store.tables import activity_checkpoints, activity_records
from keybearer.wire.checkpoint import opened
from keybearer.wire.merkle import leaf_hash, root_of
from tests.support.activity import recorded
from tests.support.sealing import BASE, Sealed

TEAM = "/team/7/2026-11"


async def test_each_record_stands_in_its_log_under_a_checkpoint_that_the_tree_over_all_has(rig: Sealed) -> None:
    await rig.record(3)
    await rig.record(1, team_id=None, action="session.started")
    await rig.record(1, action="resource_server.created")
    await rig.node().turn()
    await rig.record(2)
    rig.clock.advance(days=10)  # 4 December
    await rig.record(2)
    await rig.node().turn()
    logs = await rig.logs()
    assert {origin: log.size for origin, log in logs.items()} == {
        TEAM: 5,
        "/user/3/2026-11": 1,
        "/server/2026-11": 1,
        "": 5,
        "/team/7/2026-12": 2,
    }
    await rig.hold_the_rules()
    assert await rig.is_all_signed()
    decided = [row for row in await rig.rows(activity_checkpoints) if row["tree_index"] is not None]
    texts = {}
    for row in decided:
        origin = next(log.origin for log in logs.values() if log.log_id == row["log_id"])
        key = rig.signer().verifier_key.named(origin)
        texts[row["tree_index"]] = opened(row["note"], key, is_signed).text
    assert logs[""].root == root_of([leaf_hash(texts[index].encode()) for index in range(5)])


class Crash(Exception):
    """The process dies here."""


class Dying:
    """A database, or a witness, before or after whose n-th step the process dies."""

    def __init__(self, behind: Any, steps: list[str], dies_at: int) -> None:
        self._behind = behind
        self._steps = steps
        self._dies_at = dies_at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._behind, name)
        if name in {"one", "many", "view", "transact"}:
            return self._async(name, found)
        return self._sync(name, found) if name in {"refresh", "add"} else found

    def _async(self, name: str, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def step(*args: Any, **values: Any) -> Any:
            self._pass(f"before {name}")
            done = await work(*args, **values)
            self._pass(f"after {name}")
            return done

        return step

    def _sync(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any) -> Any:
            self._pass(f"before {name}")
            done = work(*args)
            self._pass(f"after {name}")
            return done

        return step

    def _pass(self, where: str) -> None:
        self._steps.append(where)
        if len(self._steps) == self._dies_at:
            raise Crash(where)


def _dying(rig: Sealed, steps: list[str], dies_at: int) -> Sealer:
    """Start a node that dies at one of its steps."""
    sealer = rig.node(Dying(rig.database, steps, dies_at))
    sealer._witness = Dying(sealer._witness, steps, dies_at)  # type: ignore[assignment]  # it behaves as one
    return sealer


async def test_a_crash_between_any_two_steps_never_gives_a_size_two_roots(rig: Sealed) -> None:
    dies_at = 0
    while True:
        dies_at += 1
        await rig.record(2)
        await rig.record(1, team_id=None)
        steps: list[str] = []
        try:
            await _dying(rig, steps, dies_at).turn()
        except Crash:
            await rig.hold_the_rules()
        else:
            break
        await rig.record(1)  # so that whoever goes on has another tree to sign than the one that died
        await rig.node().turn()
        await rig.hold_the_rules()
        assert await rig.is_all_signed(), steps
    assert dies_at > 15
    assert {"after transact", "before add", "after add"} <= set(steps)
    assert not [log for log in (await rig.logs()).values() if log.frozen_at]


@pytest.mark.parametrize("is_one_folder", [True, False], ids=["two processes", "two machines"])
async def test_two_nodes_that_seal_at_once_agree(
    rig: Sealed, database_url: str, tmp_path: Path, is_one_folder: bool
) -> None:
    folder = tmp_path if is_one_folder else tmp_path / "other"
    folder.mkdir(exist_ok=True)
    other: Database = await open_database(database_url)
    nodes = [rig.node(), rig.node(other, folder)]
    try:
        for turn in range(4):
            await rig.record(5)
            reports = [rig.report(node, turn + 1, boot=f"boot-{at}") for at, node in enumerate(nodes)]
            await asyncio.gather(*(node.turn() for node in nodes), *reports, rig.record(5, team_id=8))
        while not await rig.is_all_signed():
            await asyncio.gather(*(node.turn() for node in nodes))
        await rig.hold_the_rules()
        assert {log.frozen_why for log in (await rig.logs()).values()} == {None}
    finally:
        await other.close()


@pytest.mark.parametrize("later", [0, 1, 9], ids=["nothing since", "less than before", "more than before"])
async def test_a_database_that_was_put_back_is_found_out_and_its_logs_go_on_in_a_second_part(
    rig: Sealed, later: int
) -> None:
    await rig.record(3)
    await rig.node().turn()
    copy = await rig.save()
    await rig.record(4)
    await rig.node().turn()
    await rig.put_back(copy)
    if later:
        await rig.record(later)
    node = rig.node()
    for _ in range(3):
        await node.turn()
        await rig.hold_the_rules()
    logs = await rig.logs()
    assert "put back" in str(logs[TEAM].frozen_why) or "do not begin with" in str(logs[TEAM].frozen_why)
    assert logs[""].frozen_at is not None, "the tree over all logs was put back as well"
    assert await rig.is_all_signed()
    if later:
        assert logs[TEAM + ".2"].size == later
    told = [record["words"] for record in await recorded(rig.database, "activity.frozen")]
    assert any(f'"origin":"{BASE}{TEAM}"' in words for words in told)


async def run(tx: Transaction, statement: Executable) -> None:
    await tx.run(statement)


async def test_records_that_nothing_had_signed_when_a_database_was_put_back_are_not_said_to_be_missing(
    rig: Sealed,
) -> None:
    """A backup of a busy server has some: they have their places, and their checkpoint is not signed yet."""
    node = rig.node()
    await rig.record(3)
    await node.turn()
    await rig.record(2)
    await rig.database.transact(integrate, BASE, rig.clock.now())
    copy = await rig.save()
    await rig.record(4)
    await node.turn()
    await rig.put_back(copy)
    node = rig.node()
    for _ in range(2):
        await node.turn()
    logs = await rig.logs()
    assert (logs[TEAM].frozen_at is not None, logs[TEAM].size, logs[TEAM + ".2"].size) == (True, 5, 2)
    for log in (logs[TEAM], logs[TEAM + ".2"]):
        assert await why_damaged(rig.database, log.log_id, 0, rig.clock.now()) == ""
    columns = activity_records.c
    third = (columns.log_id == logs[TEAM].log_id) & (columns.log_index == 2)
    await rig.database.transact(run, delete(activity_records).where(third))
    assert await why_damaged(rig.database, logs[TEAM].log_id, 0, rig.clock.now()) == "record 2 is missing"


async def test_a_log_that_was_put_back_while_the_node_runs_is_found_out(rig: Sealed) -> None:
    node = rig.node()
    await rig.record(3)
    await node.turn()
    copy = await rig.save()
    await rig.record(4)
    await node.turn()
    await rig.put_back(copy)
    await rig.record(4)
    await node.turn()
    await rig.hold_the_rules()
    assert (await rig.logs())[TEAM].frozen_at is not None


async def test_another_key_signs_nothing(rig: Sealed, tmp_path: Path) -> None:
    await rig.record(1)
    await rig.node().turn()
    other = tmp_path / "other"
    other.mkdir()
    stranger = Sealed(rig.database, other, rig.clock)
    await rig.record(1)
    node = stranger.node()
    with pytest.raises(SealingTrouble, match="another key"):
        await node.turn()
    assert "another key" in node.trouble
    assert not await rig.is_all_signed()
    node.close()


async def test_what_was_decided_under_another_issuer_is_signed_in_its_name_and_the_rest_goes_on(rig: Sealed) -> None:
    await rig.record(2)
    await rig.database.transact(integrate, BASE, rig.clock.now())  # and the server ends before it signs
    moved = Sealer(rig.database, signer_of("", rig.folder / KEY, "elsewhere/activity"), rig.folder, rig.clock.now)
    await rig.record(1)
    await moved.turn()
    assert (moved.trouble, await rig.is_all_signed()) == ("", True)
    assert [chunk async for chunk in stored_chunks(rig.database)], "logs of both names are exported"
    moved.close()


async def test_nothing_is_signed_while_the_witness_cannot_be_written(
    rig: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.record(1)
    node = rig.node()
    with monkeypatch.context() as patch:
        patch.setattr(Witness, "add", _full)
        with pytest.raises(SealingTrouble, match="No space left"):
            await node.turn()
        assert [row["note"] for row in await rig.rows(activity_checkpoints)] == [None, None]
    await node.turn()
    assert await rig.is_all_signed()
    assert node.trouble == ""


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")
