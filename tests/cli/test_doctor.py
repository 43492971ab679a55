"""`keybearer doctor`: a sound server, one whose log is frozen, one whose key is gone."""

import asyncio
import json
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from keybearer.server.records import LogName
from keybearer.server.sealing.freezing import freeze
from keybearer.server.sealing.key import KEY, signer_of
from keybearer.server.store import activity_logs
from keybearer.server.store.database import Transaction, open_database
from keybearer.server.store.migrations import script
from tests.cli.conftest import Done, Terminal


def _checks(done: Done) -> dict[str, bool]:
    lines = [line for line in done.out.splitlines() if line.startswith("{")]  # behind what freezing has logged
    return {each["check"]: each["is_well"] for each in map(json.loads, lines)}


async def _freeze(tx: Transaction, key: str) -> None:
    await activity_logs.sign_with(tx, key)
    log = await activity_logs.add(tx, LogName("team", 7, "2026-11"), 1, "here/activity/team/7/2026-11")
    await freeze(tx, log, "record 5 is missing", 1)


async def _spoil(url: str, key: str) -> None:
    database = await open_database(url)
    try:
        await database.transact(_freeze, key)
    finally:
        await database.close()


@pytest.mark.parametrize("present", [None, "0008"], ids=["no database", "one of an earlier version"])
@pytest.mark.parametrize(
    "words",
    [("doctor",), ("resource-server", "list"), ("activity", "export", "--team", "1"), ("token", "inspect")],
    ids=" ".join,
)
def test_looking_neither_makes_nor_changes_a_database(
    bare_terminal: Terminal, words: tuple[str, ...], present: str | None
) -> None:
    file = Path("here.db")
    if present:
        with closing(apsw.Connection(str(file))) as connection:
            connection.execute(script("sqlite", None, present)).fetchall()
    before = file.read_bytes() if present else b""
    bare_terminal.set(DATABASE_URL=f"sqlite:///{file}")
    said = "run 'keybearer migrate' first" if present else "there is no database in here.db"
    assert said in bare_terminal.refused(*words, stdin="kb_pat_test_x\n")
    assert (file.read_bytes() if file.exists() else b"") == before
    assert bare_terminal.told("migrate")["changed"] is True
    assert "keybearer migrate" not in bare_terminal.type(*words, stdin="kb_pat_test_x\n").err
    assert not Path("here.db-head").exists(), "it is for whoever uses the database"


def test_a_barrier_that_waits_for_nobody_is_told_of(terminal: Terminal, database_url: str) -> None:
    if not database_url.startswith("postgres"):
        return  # there is no barrier without standbys to ask
    terminal.set(BARRIER="on")
    alone = terminal.type("doctor", "--json")
    assert (alone.exit_code, _checks(alone)["barrier"]) == (1, False)
    assert "synchronous_standby_names is empty" in alone.out


def test_a_variable_that_is_nearly_called_as_a_setting_is_told_of(terminal: Terminal) -> None:
    terminal.set(TRUSTED_PROXY="10.0.0.1", TOKEN="a program's own", SOMETHING_ELSE="1")
    done = terminal.type("doctor", "--json")
    assert (done.exit_code, _checks(done)["environment"]) == (1, False)
    assert "KEYBEARER_TRUSTED_PROXY is not a setting: do you mean KEYBEARER_TRUSTED_PROXIES?" in done.out
    assert "KEYBEARER_TOKEN" not in done.out
    assert "SOMETHING_ELSE" not in done.out


def test_a_frozen_log_and_a_lost_key_are_told_of(terminal: Terminal, database_url: str, tmp_path: Path) -> None:
    sound = terminal.type("doctor", "--json")
    assert (sound.exit_code, set(_checks(sound).values())) == (0, {True})
    assert ("clock" in _checks(sound)) == database_url.startswith("postgres"), "that of another machine"
    key = signer_of("", tmp_path / "elsewhere" / KEY, "here/activity").verifier_key.text
    asyncio.run(_spoil(database_url, key))
    ailing = terminal.type("doctor", "--json")
    assert ailing.exit_code == 1
    assert _checks(ailing) == _checks(sound) | {"activity key": False, "activity logs": False}
    assert "here/activity/team/7/2026-11: record 5 is missing" in ailing.out
    broken = tmp_path / "data" / KEY
    broken.parent.mkdir(exist_ok=True)
    broken.write_text("no key\n")
    again = terminal.type("doctor", "--json")
    assert (again.exit_code, _checks(again)) == (1, _checks(ailing))
    assert f"it cannot be read: data/{KEY} holds no key" in again.out
