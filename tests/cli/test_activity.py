"""``keybearer activity verify``, as an auditor types it, away from any server."""

import asyncio
import csv
import json
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from keybearer.cli.main import run
from keybearer.cli.progress import Progress
from keybearer.server import clock
from keybearer.server.rules.activity_logs import base_origin
from keybearer.server.sealing.key import own_signer
from keybearer.server.sealing.sealer import WITNESS, Sealer
from keybearer.server.settings import Settings
from keybearer.server.store.database import open_database
from tests.cli.conftest import Terminal
from tests.support.activity_logs import TEAM_7, USER_3, log, signer

KEY = ["--key", signer().key.text]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Write an export of two logs, one of them with erased and unsigned records."""
    team, mine = log(TEAM_7, 300), log(USER_3, 4)
    team.happen(2, erased=["agent"])
    team.happen(3)
    mine.happen(1)
    file = tmp_path / "export.jsonl"
    file.write_bytes(b"".join([*team.export(302), *mine.export(5, tells=lambda index: index > 2)]))
    (tmp_path / "saved").write_text(team.checkpoint(100), "utf-8")
    return file


def test_a_good_export_is_told_to_be_proved(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["activity", "verify", str(export), *KEY, "--checkpoint", str(export.parent / "saved")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines() == [
        f"{TEAM_7}: proved",
        "  records 302, left out 0, of 302 that the checkpoint speaks for",
        "  goes on from the saved checkpoint of 100 records",
        "  not yet signed: 3 further records, which prove nothing",
        "  without their details: 2 records: 300 (agent), 301 (agent)",
        f"{USER_3}: proved",
        "  records 2, left out 3, of 5 that the checkpoint speaks for",
    ]


def test_programs_are_told_one_object_for_each_log(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["activity", "verify", str(export), *KEY, "--json"]) == 0
    team, mine = map(json.loads, capsys.readouterr().out.splitlines())
    assert (team["log"], team["proved"], team["records"], team["not_signed"]) == (TEAM_7, True, 302, 3)
    assert team["erased"] == [{"index": 300, "fields": ["agent"]}, {"index": 301, "fields": ["agent"]}]
    assert (mine["log"], mine["left_out"], mine["wrong"]) == (USER_3, 3, None)


def test_whoever_saved_no_checkpoint_is_told_to(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["activity", "verify", str(export), *KEY]) == 0
    assert "that a log was written anew as a whole would not be seen" in capsys.readouterr().out


def test_the_first_bad_record_is_named_and_the_exit_code_is_1(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export.write_bytes(export.read_bytes().replace(b'"n":78,', b'"n":79,', 1))
    assert run(["activity", "verify", str(export), *KEY]) == 1
    said, changed = capsys.readouterr(), "the entry is not the one whose hash the log has in this place"
    assert said.err == f"error: {TEAM_7}, record 77, line 79: {changed}\n"
    assert f"{TEAM_7}: NOT PROVED" in said.out
    assert f"{USER_3}: proved" in said.out
    assert run(["activity", "verify", str(export), *KEY, "--json"]) == 1
    wrong = json.loads(capsys.readouterr().out.splitlines()[0])["wrong"]
    assert wrong == {"index": 77, "line": 79, "what": changed}


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        pytest.param(["none.jsonl", *KEY], 1, "cannot read none.jsonl: No such file", id="no file"),
        pytest.param(["export.jsonl", "--key", "x"], 2, "--key: a key is written name+id+key", id="no key"),
        pytest.param(["export.jsonl"], 2, "an export is verified by --key", id="no key at all"),
        pytest.param(["export.jsonl", *KEY, "--jobs", "0"], 2, "invalid value for '--jobs'", id="nobody to read it"),
        pytest.param(["export.jsonl", *KEY, "--checkpoint", "none"], 1, "cannot read none", id="no checkpoint"),
        pytest.param(
            ["export.jsonl", *KEY, "--checkpoint", "export.jsonl"], 1, "export.jsonl: the checkpoint", id="not one"
        ),
    ],
)
def test_what_cannot_be_used_is_named(
    export: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    problem: str,
) -> None:
    monkeypatch.chdir(export.parent)
    assert run(["activity", "verify", *words]) == code
    assert problem.lower() in capsys.readouterr().err.lower()


def test_who_looks_on_sees_how_far_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("verified", 200) as progress:
        for _ in range(4):
            progress.advance(50)
    with Progress("read") as progress:
        progress.advance(1234)
    assert capsys.readouterr().err == ("\rverified 25 %\rverified 50 %\rverified 75 %\rverified 100 %\n\rread 1,234\n")


def test_an_export_tells_what_was_done_in_the_team_that_is_named(terminal: Terminal) -> None:
    terminal.add_person("Ada")
    terminal.type("team", "add", "Acme", "--environment", "sandbox", "--owner", "ada@example.com")
    everything = terminal.type("activity", "export", "--team", "1")
    assert (everything.exit_code, everything.err) == (0, "")
    assert {json.loads(line)["entry"]["action"] for line in everything.out.splitlines()} == {
        "team.created",
        "member.joined",
    }
    assert terminal.type("activity", "export", "--team", "1", "--json").out == everything.out
    assert "--json is" in terminal.refused(
        "activity", "export", "--team", "1", "--json", "--format", "csv", exit_code=2
    )
    for action, words in (("team.created", ""), ("member.joined", '{"role":"owner"}')):
        table = terminal.type("activity", "export", "--team", "1", "--format", "csv", "--action", action)
        assert [(row["action"], row["words"]) for row in csv.DictReader(table.out.splitlines())] == [(action, words)]
    assert (
        terminal.type("activity", "export", "--team", "1", "--user", "ada@example.com", "--to", "2020-01-01").out == ""
    )
    for wrong in (("--from", "x"), ("--user", ""), ("--token", ""), ("--to", ""), ("--action", "TOKEN")):
        said = terminal.refused("activity", "export", "--team", "1", *wrong, exit_code=2)
        assert "must be one" in said
    assert terminal.refused("activity", "export", "--team", "1", "--user", "bob").startswith(
        "nobody has the address bob"
    )
    assert terminal.refused("activity", "export", "--team", "nobody")


def test_a_log_that_was_signed_here_and_is_gone_is_told(terminal: Terminal) -> None:
    terminal.add_person("Ada")
    terminal.type("team", "add", "Acme", "--environment", "sandbox", "--owner", "ada@example.com")
    settings = Settings()
    own_signer(settings)  # makes the key, as the server does
    past = f"{base_origin(settings.issuer)}/team/{{}}/2026-10"
    signed = f"{past} 2 {b64encode(bytes(32)).decode()}\n"
    gone = f"{past}: 2 records were signed, and the database has no such log"
    (settings.data_dir / WITNESS).write_text(signed.format(1))
    for words in ((), ("--team", "1")):
        assert gone.format(1) in terminal.refused("activity", "verify", *words)
    (settings.data_dir / WITNESS).write_text(signed.format(2))
    assert gone.format(2) in terminal.refused("activity", "verify")
    assert "no such log" not in terminal.refused("activity", "verify", "--team", "1")


async def _sealed() -> None:
    settings = Settings()
    database = await open_database(settings.store_url)
    sealer = Sealer(database, own_signer(settings), settings.data_dir, clock.now, 400)
    try:
        await sealer.turn()
    finally:
        sealer.close()
        await database.close()


def test_what_was_stored_under_a_former_issuer_is_verified_with_the_servers_own_key(terminal: Terminal) -> None:
    for issuer, name in (("https://first.example.com", "Ada"), ("https://second.example.com", "Ben")):
        terminal.set(ISSUER=issuer)
        terminal.add_person(name)
        asyncio.run(_sealed())
    done = terminal.type("activity", "verify", "--json")
    assert (done.exit_code, done.err) == (0, "")
    told = {line["log"].partition("/")[0]: line["proved"] for line in map(json.loads, done.out.splitlines())}
    assert told == {"first.example.com": True, "second.example.com": True}
    said = terminal.type("activity", "verify", "--key", terminal.told("activity", "key")["key"]).err
    assert "a key that you did not give for its name, but for second.example.com/activity" in said


def test_the_stored_log_is_verified_with_the_servers_own_key(terminal: Terminal) -> None:
    terminal.add_person("Ada")
    terminal.type("team", "add", "Acme", "--environment", "sandbox", "--owner", "ada@example.com")
    assert "the server makes it when it starts" in terminal.refused("activity", "verify", "--team", "1")
    settings = Settings()
    own_signer(settings)  # as the server does
    key = terminal.told("activity", "key")["key"]
    assert key.count("+") >= 2
    unsigned = "nothing is signed yet: no checkpoint speaks for the 2 records here, which prove nothing"
    assert unsigned in terminal.refused("activity", "verify", "--team", "1")
    export = settings.data_dir / "export.jsonl"
    export.write_text(terminal.type("activity", "export", "--team", "1").out, "utf-8")
    assert unsigned in terminal.refused("activity", "verify", str(export), "--key", key)
    everything = "nothing is signed yet: no checkpoint speaks for the 3 records here, which prove nothing"
    assert everything in terminal.refused("activity", "verify")
    for words, said in ((("x", "--team", "1"), "give a FILE"), (("x",), "--key")):
        assert said in terminal.refused("activity", "verify", *words, exit_code=2)
