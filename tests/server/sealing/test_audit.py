"""What is changed behind the server's back is found, the record is named, and nothing more is signed for its log."""

from typing import Any

import pytest
from sqlalchemy import text

from keybearer.server.store.database import Transaction
from tests.support.sealing import Sealed

TEAM = "/team/7/2026-11"
OF_TEAM = "log_id = (SELECT log_id FROM activity_logs WHERE origin LIKE '%/team/7/2026-11')"
RECORD = f"UPDATE activity_records SET {{}} WHERE {OF_TEAM} AND log_index = 5"
OTHER = f"(SELECT entry FROM activity_records AS o WHERE o.{OF_TEAM} AND o.log_index = 6)"
# ruff: noqa: S608 - whoever edits behind the server's back writes SQL
EDITS: list[Any] = [
    pytest.param([RECORD.format(f"entry = {OTHER}")], "record 5 is not what was signed", id="another's entry"),
    pytest.param(
        [f"DELETE FROM activity_records WHERE {OF_TEAM} AND log_index = 5"], "record 5 is missing", id="deleted"
    ),
    pytest.param(
        [f"DELETE FROM activity_records WHERE {OF_TEAM} AND log_index = 19"],
        "record 19 is missing",
        id="the last deleted",
    ),
    pytest.param(
        [
            RECORD.format("log_index = 999"),
            f"UPDATE activity_records SET log_index = 5 WHERE {OF_TEAM} AND log_index = 6",
            f"UPDATE activity_records SET log_index = 6 WHERE {OF_TEAM} AND log_index = 999",
        ],
        "record 5 is not what was signed",
        id="two in each other's place",
    ),
    pytest.param([RECORD.format("user_id = 99")], "record 5: its user_id", id="another user to search by"),
    pytest.param([RECORD.format("user_id = NULL")], "record 5: its user_id", id="no user to search by"),
    pytest.param(
        [RECORD.format("action = 'client.deleted'")], "record 5: its action", id="another action to search by"
    ),
    pytest.param([RECORD.format("team_id = 8")], "record 5: its team_id", id="another team to search by"),
    pytest.param(
        [RECORD.format(f"details = {OTHER.replace('entry', 'details')}")],
        "record 5: its details",
        id="another's details",
    ),
    pytest.param(
        [RECORD.format("details = substr(details, 1, 0), user_id = NULL")], "record 5: its details", id="empty details"
    ),
    pytest.param([RECORD.format("details = '[]'")], "record 5: its details", id="details of another type"),
    pytest.param([RECORD.format(f"details = '{'[' * 100_000}'")], "record 5: its details", id="bottomless details"),
    pytest.param([RECORD.format("entry = 'x'")], "record 5 is not what was signed", id="an entry of another type"),
    pytest.param(
        [RECORD.format("details = NULL, user_id = 99")],
        "record 5: its user_id",
        id="an erased one said to be another's",
    ),
    pytest.param(
        [
            f"DELETE FROM activity_records WHERE {OF_TEAM} AND log_index = 0",
            f"UPDATE activity_logs SET min_index = 1 WHERE {OF_TEAM}",
        ],
        "the records before 1 are missing",
        id="the first said to be pruned",
    ),
    pytest.param(
        [f"UPDATE activity_logs SET min_index = 20 WHERE {OF_TEAM}"],
        "the records before 20 are missing",
        id="all said to be pruned",
    ),
    pytest.param(
        [f"UPDATE activity_logs SET month = '2020-01', min_index = 20 WHERE {OF_TEAM}"],
        "its name says another",
        id="all said to be pruned, of a month long past",
    ),
    pytest.param([f"UPDATE activity_logs SET team_id = 8 WHERE {OF_TEAM}"], "its name says", id="said to be another's"),
    pytest.param(
        [f"UPDATE activity_logs SET team_id = NULL, user_id = 7 WHERE {OF_TEAM}"],
        "its name says",
        id="said to be nobody's",
    ),
    pytest.param([f"UPDATE activity_logs SET part = 2 WHERE {OF_TEAM}"], "its name says", id="said to be another part"),
    pytest.param(
        [f"UPDATE activity_tiles SET hashes = 'x' WHERE {OF_TEAM}"], "does not have the 20 hashes", id="no tile"
    ),
    pytest.param(
        [f"UPDATE activity_tiles SET hashes = (SELECT root FROM activity_logs LIMIT 1) WHERE {OF_TEAM}"],
        "does not have the 20 hashes",
        id="the tile",
    ),
    pytest.param(
        [f"UPDATE activity_logs SET root = (SELECT root FROM activity_logs WHERE kind = 'tree') WHERE {OF_TEAM}"],
        "another root",
        id="the root",
    ),
    pytest.param([f"UPDATE activity_logs SET size = 19 WHERE {OF_TEAM}"], "another root", id="the size"),
]


async def _run(tx: Transaction, statements: list[str]) -> None:
    for statement in statements:
        assert await tx.run(text(statement)) == 1, statement


@pytest.mark.parametrize(("statements", "said"), EDITS)
async def test_an_edit_is_located_and_the_log_goes_on_in_a_second_part(
    rig: Sealed, statements: list[str], said: str
) -> None:
    await rig.record(20)
    node = rig.node()
    await node.turn()
    await rig.database.transact(_run, statements)
    await node.turn()
    logs = await rig.logs()
    assert said in str(logs[TEAM].frozen_why)
    assert {log.frozen_why for origin, log in logs.items() if origin != TEAM} == {None}
    await rig.record(2)
    await node.turn()
    logs = await rig.logs()
    assert logs[TEAM + ".2"].size == 2


async def test_sound_records_of_many_tiles_are_looked_at_again_and_again_without_a_word(rig: Sealed) -> None:
    await rig.record(300)
    await rig.record(2, team_id=8)
    node = rig.node()
    for _ in range(9):
        await node.turn()
    assert {log.frozen_why for log in (await rig.logs()).values()} == {None}


async def test_an_edit_in_a_tile_that_is_full_is_found_at_the_tile_above(rig: Sealed) -> None:
    await rig.record(300)
    node = rig.node()
    await node.turn()
    whole = "SELECT hashes FROM activity_tiles AS o WHERE o.level = 0 AND o.place = 1"
    change = f"UPDATE activity_tiles SET hashes = ({whole}) WHERE {OF_TEAM} AND level = 0 AND place = 0"
    await rig.database.transact(_run, [change])
    for _ in range(4):
        await node.turn()
    assert "the tile at level 0, place 0, is not what was signed" in str((await rig.logs())[TEAM].frozen_why)


async def test_a_row_that_is_no_record_holds_nobody_up_and_is_found(rig: Sealed) -> None:
    row = "INSERT INTO activity_records (received_at, entry, at, action, outcome, team_id)"
    await rig.record(1)
    await rig.database.transact(_run, [f"{row} VALUES ({rig.clock.now()}, 'nothing', 1, 'a.b', 'done', 7)"])
    await rig.record(1, team_id=8)
    node = rig.node()
    for _ in range(3):
        await node.turn()
    logs = await rig.logs()
    assert str(logs[TEAM].frozen_why).startswith("record 1")
    assert (logs["/team/8/2026-11"].size, logs["/team/8/2026-11"].frozen_why) == (1, None)


GONE = "20 records were signed, and the database has no such log"


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        pytest.param(
            [
                f"DELETE FROM activity_tiles WHERE {OF_TEAM}",
                f"DELETE FROM activity_checkpoints WHERE {OF_TEAM}",
                "DELETE FROM activity_logs WHERE origin LIKE '%/team/7/2026-11'",
            ],
            GONE,
            id="deleted",
        ),
        pytest.param([f"UPDATE activity_logs SET origin = 'x/activity' WHERE {OF_TEAM}"], GONE, id="named otherwise"),
        pytest.param([f"UPDATE activity_logs SET kind = 'tree' WHERE {OF_TEAM}"], "its name says another", id="no log"),
    ],
)
async def test_a_log_that_is_gone_is_found_out_at_the_next_start(rig: Sealed, statements: list[str], said: str) -> None:
    await rig.record(20)
    await rig.node().turn()
    await rig.database.transact(_run, statements)
    await rig.node().turn()
    logs = await rig.logs()
    assert str(logs[TEAM].frozen_why).startswith(said)
    assert logs[TEAM].team_id == 7
