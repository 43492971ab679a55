"""What is erased or pruned is gone, the log says so, and what remains is proved as before."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from keybearer.server.actions.erase_activity import erase_activity
from keybearer.server.activities import Actor
from keybearer.server.clock import DAY
from keybearer.server.sealing import witness
from keybearer.server.sealing.retention import prune_activity
from keybearer.server.sealing.witness import Contradiction, Witness
from keybearer.server.store import activity_forgetting
from keybearer.server.store.activity_checkpoints import THIN_FROM, thin
from keybearer.server.store.tables import activity_checkpoints, activity_cursors, activity_logs, activity_records
from keybearer.wire.activity import entry_from
from keybearer.wire.checkpoint import Checkpoint
from tests.support.activity import recorded
from tests.support.sealing import ACTOR, Sealed

OPERATOR = Actor("a test", "command line")


async def test_what_is_erased_is_gone_and_the_log_is_verified_as_before(
    rig: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity_forgetting, "AT_ONCE", 3)
    await rig.record(5)
    node = rig.node()
    await node.turn()
    counts: list[int] = []
    while not counts or counts[-1]:
        counts.append(await rig.database.transact(erase_activity, OPERATOR, 3, "asked by letter", rig.clock.now()))
    assert sum(counts) == 5
    for _ in range(4):
        await node.turn()
    await rig.hold_the_rules()
    assert {log.frozen_why for log in (await rig.logs()).values()} == {None}
    rows = [dict(row) for row in await rig.database.many(select(activity_records))]
    erased = [row for row in rows if row["action"] == "client.changed"]
    assert [(row["details"], row["user_id"]) for row in erased] == [(None, None)] * 5
    assert all("user" in (entry_from(bytes(row["entry"])).sealed or {}) for row in erased)
    assert not any(ACTOR.address in str(row) for row in erased)
    told = await recorded(rig.database, "activity.redacted")
    assert {record["subject"] for record in told} == {"user:3"}
    assert all('"basis":"asked by letter"' in record["words"] for record in told)


async def test_months_long_past_are_pruned_as_a_whole_and_what_remains_is_proved_as_before(rig: Sealed) -> None:
    node = rig.node()
    await rig.record(300)
    await node.turn()
    rig.clock.advance(days=395)  # 24 December of the next year: November's last day was 389 days ago
    await rig.record(2)
    await node.turn()
    await node.prune()
    assert (await rig.logs())["/team/7/2026-11"].min_index == 0, "a day of November is not 400 days old"
    rig.clock.advance(days=12)
    await node.prune()
    logs = await rig.logs()
    assert (logs["/team/7/2026-11"].min_index, logs["/team/7/2027-12"].min_index) == (300, 0)
    assert len([row for row in await rig.rows(activity_records) if row["action"] == "client.changed"]) == 2
    told = await recorded(rig.database, "activity.pruned")
    assert ['"records":300' in record["words"] for record in told] == [True]
    for _ in range(6):
        await node.turn()
    assert {log.frozen_why for log in (await rig.logs()).values()} == {None}


async def test_a_month_that_raw_sql_made_a_past_one_is_not_pruned(rig: Sealed) -> None:
    node = rig.node()
    await rig.record(3)
    await node.turn()
    await rig.database.transact(lambda tx: tx.run(update(activity_logs).values(month="2020-01")))
    await node.prune()
    assert {log.min_index for log in (await rig.logs()).values()} == {0}


async def test_a_large_log_is_pruned_in_steps_and_small_ones_together(
    rig: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity_forgetting, "AT_ONCE", 4)
    node = rig.node()
    await node.turn()
    await rig.report(node, 1, 2, 3, 4, 5, 6, team=7)
    await rig.report(node, 7, team=8)
    await rig.report(node, 8, team=9)
    rig.clock.advance(days=60)
    deleted = []
    while await rig.database.transact(prune_activity, rig.clock.now(), rig.clock.now()):
        deleted.append(sum(log.min_index for log in (await rig.logs()).values()))
    assert deleted == [4, 8]
    assert len(await recorded(rig.database, "activity.pruned")) == 3


async def test_processes_that_report_no_more_are_forgotten_once_their_records_are_pruned(rig: Sealed) -> None:
    node = rig.node()
    await node.turn()
    await rig.report(node, 1, boot="old")
    rig.clock.advance(days=399)
    await rig.report(node, 1, boot="young")
    for boots in (["old", "young"], ["young"]):
        await node.prune()
        assert sorted(row["boot"] for row in await rig.rows(activity_cursors)) == boots
        rig.clock.advance(days=2)


async def test_of_old_days_each_log_keeps_the_last_checkpoint_and_goes_on_as_before(rig: Sealed) -> None:
    node = rig.node()
    for _ in range(3):
        for _ in range(4):
            await rig.record(1)
            await node.turn()
        rig.clock.advance(days=1)
    rig.clock.advance(days=6)  # by now the second day has been over for a week, and the third has not
    await node.prune()
    team = (await rig.logs())["/team/7/2026-11"]
    sizes = [row["size"] for row in await rig.rows(activity_checkpoints) if row["log_id"] == team.log_id]
    assert sizes == [4, 8, 9, 10, 11, 12]
    await rig.hold_the_rules()
    await rig.record(1)
    await rig.node().turn()
    assert await rig.is_all_signed()
    assert {log.frozen_why for log in (await rig.logs()).values()} == {None}


async def test_many_old_checkpoints_are_thinned_stretch_by_stretch_and_none_but_the_last_of_a_day_stays(
    rig: Sealed,
) -> None:
    for _ in range(2):  # two teams' logs
        await rig.record(1)
    await rig.node().turn()
    team = (await rig.logs())["/team/7/2026-11"]
    first_day, young = 20_000 * DAY, 20_003 * DAY
    made = [
        {"log_id": team.log_id, "size": 100 + n, "root": bytes(32), "at": first_day + n * DAY // 900, "note": "signed"}
        for n in range(3_200)
    ]
    made[950]["note"], made[1_799]["note"] = None, ""  # not signed yet; and passed over, the last of the second day
    await rig.database.transact(lambda tx: tx.run_all(insert(activity_checkpoints), made))
    place: tuple[int, int] | None = THIN_FROM
    while place is not None:
        place = await rig.database.transact(thin, young, place)
    sizes = {row["size"] for row in await rig.rows(activity_checkpoints) if row["size"] >= 100}
    assert sizes == {100 + n for n in (899, 950, 1_798, 2_699, *range(2_700, 3_200))}


def test_a_long_witness_keeps_each_logs_last_word_and_those_who_share_it_go_over_to_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness, "THIN_FROM", 1_000)
    monkeypatch.setattr(witness, "KEPT_WHOLE", 500)
    path = tmp_path / "checkpoints"
    mine, others = Witness(path), Witness(path)
    mine.add([Checkpoint("quiet", 7, bytes(32))])
    for size in range(1, 41):
        mine.add([Checkpoint("busy", size, bytes([size]) * 32)])
    (tmp_path / "checkpoints.new").write_bytes(b"of a process that died")
    before = path.read_bytes()
    mine.thin()
    thinned = path.read_bytes()
    assert len(thinned) < len(before) / 2
    assert thinned.splitlines()[0].startswith(b"quiet 7 ")
    assert thinned.endswith(before[-500:])
    with pytest.raises(Contradiction, match="with fewer"):
        others.add([Checkpoint("busy", 39, bytes(32))])
    others.add([Checkpoint("busy", 41, bytes(32))])
    for each in (mine, Witness(path)):
        each.refresh()
        assert each.last == {"quiet": (7, bytes(32)), "busy": (41, bytes(32))}
        with pytest.raises(Contradiction, match="another root"):
            each.add([Checkpoint("quiet", 7, bytes([1]) * 32)])
        each.close()
    others.close()
