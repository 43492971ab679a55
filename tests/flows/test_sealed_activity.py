"""What people and APIs do stands under a signed checkpoint a moment later, and a damaged log is told of."""

import asyncio
from contextlib import suppress

from sqlalchemy import select, text

from keybearer.audit.trust import is_signed
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import activity_checkpoints, activity_logs
from keybearer.wire.checkpoint import key_from, opened
from tests.support.activity import recorded
from tests.support.clock import HandClock
from tests.support.happenings import seal_all
from tests.support.house import House
from tests.support.reports import Reporting, reporting_in

_NOTES = (
    select(activity_logs.c.origin, activity_checkpoints.c.note)
    .join(activity_logs, activity_logs.c.log_id == activity_checkpoints.c.log_id)
    .where(activity_checkpoints.c.note > "")
)


async def test_a_call_comes_under_a_signed_checkpoint_by_itself(house: House) -> None:
    api = await reporting_in(house)
    await api.report(api.lines(1, 2, 3))
    origin = f"keybearer.test/activity/team/{api.token.team_id}/2026-11"
    key = key_from(house.node.sealer.verifier_key).named(origin)
    signed = 0
    while signed < 3:
        await asyncio.sleep(0.05)
        notes = [row["note"] for row in await house.node.database.many(_NOTES) if row["origin"] == origin]
        signed = max((opened(note, key, is_signed).size for note in notes), default=0)
    assert "activity" not in (await house.program().get("/readyz")).json()


async def _forge(tx: Transaction) -> None:
    await tx.run(text("UPDATE activity_records SET action = 'user.enabled' WHERE action = 'api.called'"))


async def test_a_damaged_log_is_told_of_at_readyz_and_in_the_log_itself(house: House) -> None:
    api = await reporting_in(house)
    await api.report(api.lines(1))
    await seal_all(house.node)
    await house.node.act(_forge)
    while not (told := await recorded(house.node.database, "activity.frozen")):  # noqa: ASYNC110 - likewise
        await asyncio.sleep(0.05)
    assert f"/activity/team/{api.token.team_id}/2026-11" in told[0]["words"]
    answer = await house.program().get("/readyz")
    assert answer.status_code == 200
    assert "record 0: its action is not what the entry says" in answer.json()["activity"][0]
    assert (await api.report(api.lines(2)))["kept"] == 1


async def _sign_with(tx: Transaction, key: str) -> None:
    await tx.run(text("UPDATE activity_seal SET key = :key"), key=key)


async def test_a_fault_that_nobody_expected_is_told_of_at_readyz_until_a_turn_goes_well(house: House) -> None:
    sealer, program = house.node.sealer, house.program()
    await sealer.turn()
    await house.node.act(_sign_with, "no key")
    while "activity" not in (said := (await program.get("/readyz")).json()):
        with suppress(ValueError):
            await sealer.turn()
    assert said["status"] == "ready"
    assert "BadNote" in said["activity"][0]
    assert "the log says" in said["activity"][0]
    await house.node.act(_sign_with, sealer.verifier_key)
    while "activity" in (await program.get("/readyz")).json():
        await sealer.turn()


async def test_a_number_that_never_comes_is_told_of_once(house: House, clock: HandClock) -> None:
    api = await reporting_in(house)
    await api.report(api.lines(1, 4, 6, 7))
    clock.advance(seconds=59)
    await house.node.sealer.turn()
    assert await _gaps(api) == []
    clock.advance(seconds=1)
    while not await _gaps(api):
        await house.node.sealer.turn()
    assert await _gaps(api) == ["2-3, 5"]
    assert await api.report(api.lines(3, 8)) == {"kept": 2, "repeated": 0, "refused": [], "through": 8}
    clock.advance(minutes=2)
    await house.node.sealer.turn()
    assert await _gaps(api) == ["2-3, 5"]


async def _delete_the_last(tx: Transaction) -> None:
    await tx.run(text("DELETE FROM activity_records WHERE n = 7"))


async def test_what_was_deleted_behind_the_logs_back_is_told_of_as_missing_and_holds_nothing_up(
    house: House, clock: HandClock
) -> None:
    api = await reporting_in(house)
    await api.report(api.lines(1, 2, 5, 7))
    await house.node.act(_delete_the_last)
    clock.advance(minutes=1)
    while not await _gaps(api):
        await house.node.sealer.turn()
    assert await _gaps(api) == ["3-4, 6-7"]
    assert (await api.report(api.lines(8)))["through"] == 8


async def _gaps(api: Reporting) -> list[str]:
    records = await recorded(api.house.node.database, "activity.gap")
    return [record["words"].partition('"missing":"')[2].removesuffix('"}') for record in records]
