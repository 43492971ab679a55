"""What is erased or pruned is gone, the log says so, and what remains is proved as before."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from keybearer.server.actions.erase_activity import erase_activity
from keybearer.server.events import Actor
from keybearer.server.store import activity_forgetting
from keybearer.server.store.tables import activity_records
from keybearer.wire.activity import entry_from
from tests.support.activity import recorded
from tests.support.clock import HandClock
from tests.support.sealing import ACTOR, Sealed, sealed

OPERATOR = Actor("a test", "command line")


@pytest.fixture
async def rig(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Sealed]:
    async with sealed(database_url, tmp_path, clock) as opened_rig:
        yield opened_rig


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
