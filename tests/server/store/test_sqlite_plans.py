"""SQLite plans a statement once: the look-up behind every call of the API took six times as long when it did not."""

from pathlib import Path
from typing import Any

import apsw

from keybearer.server.store import tokens
from keybearer.server.store.sqlite_connections import SqliteReader, open_reader
from tests.support.databases import copy_sqlite


async def test_a_look_up_with_another_value_is_not_planned_again(migrated_sqlite: Path, tmp_path: Path) -> None:
    copy_sqlite(migrated_sqlite, tmp_path / "keybearer.db")
    connection = open_reader(str(tmp_path / "keybearer.db"))
    planned: list[int] = []

    def note(event: dict[str, Any]) -> None:
        planned.append(event["stmt_status"]["SQLITE_STMTSTATUS_REPREPARE"])

    connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, note)
    reader = SqliteReader(connection)
    for number in range(3):
        await tokens.record_of(reader, bytes([number]) * 32)
    reader.close()
    assert planned == [0, 0, 0]
