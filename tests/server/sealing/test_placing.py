"""Records get their places one behind the other: with their commit where that can be done, else a moment later."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from sqlalchemy import Executable, text

from keybearer.server.sealing import integrating
from keybearer.server.sealing.key import signer_of
from keybearer.server.sealing.sealer import Sealer, SealingTrouble
from keybearer.server.store.activity_logs import grow, sign_with, take_turn
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import activity_records
from keybearer.wire.merkle import EMPTY_ROOT
from tests.support.sealing import BASE, Sealed

TEAM = "/team/7/2026-11"
_SPOILT_BY: Final = {
    "a time beyond all years": "received_at = 9000000000000000000",
    "a time before all years": "received_at = -9000000000000000000",
    "a time that is text": "received_at = 'noon'",
    "an action that is bytes": "action = x'61'",
    "a team that is text": "team_id = 'acme'",
    "a user that is a fraction": "team_id = NULL, user_id = 1.5",
}
_BY_NUMBERS: Final = tuple(_SPOILT_BY)[:2]  # PostgreSQL takes values of the column's type alone


async def test_records_of_several_logs_that_came_by_turns_keep_their_order_in_each(rig: Sealed) -> None:
    came = ((7, 3), (8, 1), (7, 2), (8, 2), (7, 1))
    for team_id, count in came:
        await rig.record(count, team_id=team_id)
    await rig.node().turn()
    await rig.hold_the_rules()
    indexes = {7: itertools.count(), 8: itertools.count()}
    told = [(row["team_id"], row["log_index"]) for row in await rig.rows(activity_records)]
    assert told == [(team_id, next(indexes[team_id])) for team_id, count in came for _ in range(count)]


async def test_what_is_reported_has_its_place_once_it_is_kept_behind_what_waits_for_one(rig: Sealed) -> None:
    node = rig.node()
    await node.turn()
    await rig.record(2)
    await rig.report(node, 1, 2)
    await rig.report(node, 3, team=8)
    await rig.report(node, 4, 2, 1)
    told = [(row["team_id"], row["n"], row["log_index"]) for row in await rig.rows(activity_records)]
    assert told == [(7, None, 0), (7, None, 1), (7, 1, 2), (7, 2, 3), (8, 3, 0), (7, 4, 4)]
    await node.turn()
    await rig.hold_the_rules()
    assert await rig.is_all_signed()


async def _as_it_starts(_rig: Sealed, _node: Sealer) -> None:
    """Report before the database was compared with what was signed."""


async def _in_trouble(rig: Sealed, node: Sealer) -> None:
    """Report while the logs are signed with another key."""
    await node.turn()
    await rig.database.transact(sign_with, signer_of("", rig.folder / "another", BASE).verifier_key.text)
    with pytest.raises(SealingTrouble, match="another key"):
        await node.turn()


async def _where_places_are_taken(rig: Sealed, node: Sealer) -> None:
    """Report after somebody has set a log back to its beginning."""
    await rig.record(3)
    await node.turn()
    team = (await rig.logs())[TEAM]
    await rig.database.transact(grow, team, 0, EMPTY_ROOT)


@pytest.mark.parametrize("begun", [_as_it_starts, _in_trouble, _where_places_are_taken])
async def test_what_is_reported_is_kept_where_it_can_have_no_place_yet(
    rig: Sealed, begun: Callable[[Sealed, Sealer], Awaitable[None]]
) -> None:
    node = rig.node()
    await begun(rig, node)
    await rig.report(node, 1, 2)
    rows = [row for row in await rig.rows(activity_records) if row["n"]]
    assert [(row["n"], row["log_id"]) for row in rows] == [(1, None), (2, None)]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_nobody_who_reports_waits_for_another_node_that_gives_places(rig: Sealed) -> None:
    node = rig.node()
    await node.turn()
    is_taken, is_kept = asyncio.Event(), asyncio.Event()

    async def give_places(tx: Transaction) -> None:
        assert await take_turn(tx)
        is_taken.set()
        await is_kept.wait()

    giving = asyncio.create_task(rig.database.transact(give_places))
    await is_taken.wait()
    await rig.report(node, 1)
    is_kept.set()
    await giving
    assert [row["log_id"] for row in await rig.rows(activity_records)] == [None]
    await rig.report(node, 2)
    assert [row["log_index"] for row in await rig.rows(activity_records)] == [0, 1]


async def test_a_log_of_many_tiles_has_the_root_of_its_records(rig: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrating, "AT_ONCE", 300)
    await rig.record(700)
    sealer = rig.node()
    await sealer.turn()
    await rig.record(100)
    await sealer.turn()
    await rig.hold_the_rules()
    assert (await rig.logs())[TEAM].size == 800
    for _ in range(8):
        await sealer.audit_some()
    assert not [log for log in (await rig.logs()).values() if log.frozen_at]


async def test_what_is_not_sealed_yet_is_placed_in_the_order_in_which_it_became_visible(rig: Sealed) -> None:
    await rig.record(2)
    await rig.node().turn()
    await rig.record(2)
    await rig.node().turn()
    rows = await rig.rows(activity_records)
    assert [row["log_index"] for row in rows] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("database_url", "spoilt"),
    [*(("sqlite", spoilt) for spoilt in _SPOILT_BY), *(("postgresql", spoilt) for spoilt in _BY_NUMBERS)],
    indirect=["database_url"],
)
async def test_a_record_that_raw_sql_spoilt_before_it_had_a_place_keeps_no_other_from_its_own(
    rig: Sealed, spoilt: str
) -> None:
    node = rig.node()
    await node.turn()
    await rig.record(3)
    spoiling = text(f"UPDATE activity_records SET {_SPOILT_BY[spoilt]} WHERE activity_id = 1")  # noqa: S608 - ours
    await rig.database.transact(_run, spoiling)
    await rig.report(node, 1)
    await node.turn()
    logs = {log.log_id: origin for origin, log in (await rig.logs()).items()}
    placed = [(logs[row["log_id"]], row["log_index"]) for row in (await rig.rows(activity_records))[:4]]
    assert placed == [("/server/2026-11", 0), (TEAM, 0), (TEAM, 1), (TEAM, 2)]
    await rig.hold_the_rules()


async def _run(tx: Transaction, statement: Executable) -> None:
    await tx.run(statement)
