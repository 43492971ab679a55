"""The streams that a command is given: closed ones, those that know few characters, and what was typed on one line."""

import json
import os
import select
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import PASSWORD, Terminal
from tests.support.processes import PROGRAM, START_TIMEOUT_S


def in_shell(folder: Path, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "HOME": str(folder), **variables}
    shell = ["sh", "-c", command]
    return subprocess.run(
        shell, cwd=folder, env=environment, capture_output=True, text=True, timeout=START_TIMEOUT_S, check=False
    )


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        ("token inspect", 2, "error: no token; give it on stdin\n"),
        ("user add a@example.com --name A --password-stdin", 1, "error: the password is too short. Use 15"),
        ("user add a@example.com --name A", 2, "error: no password; give it on stdin, with --password-stdin\n"),
    ],
)
def test_a_stdin_that_is_closed_is_an_empty_one(tmp_path: Path, words: str, exit_code: int, said: str) -> None:
    done = in_shell(tmp_path, f"keybearer {words} <&-")
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_an_error_never_goes_to_stdout_and_what_nobody_takes_is_lost_without_a_trace(tmp_path: Path) -> None:
    add = f"echo '{PASSWORD}' | keybearer user add a@example.com --name Æ --password-stdin"
    done = in_shell(tmp_path, f"{add} && keybearer team add Ä --environment sandbox --owner a@example.com")
    assert done.returncode == 0, done.stderr
    assert in_shell(tmp_path, "keybearer nosuch 2>&-").stdout == ""
    for closed in (">&-", "2>&-"):
        export = in_shell(tmp_path, f"keybearer activity export --team 1 {closed}")
        assert (export.returncode, export.stderr) == (0, ""), closed


def test_a_terminal_that_knows_few_characters_gets_the_others_by_their_numbers(tmp_path: Path) -> None:
    add = f"echo '{PASSWORD}' | keybearer user add a@example.com --name Zoë --password-stdin"
    done = in_shell(tmp_path, add, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "name         Zo\\xeb\n" in done.stdout
    done = in_shell(tmp_path, "keybearer user disable zoë@example.com", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: nobody has the address zo\\xeb@example.com; ")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("a\nerror: b", "a\\nerror: b"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egro", "\\u202egro"),
        ("x" * 100_000, "x" * 150 + "…"),
        ("Zoë 山", "Zoë 山"),
    ],
)
def test_what_was_typed_neither_breaks_the_line_nor_fills_the_screen(
    terminal: Terminal, typed: str, shown: str
) -> None:
    assert terminal.refused("user", "disable", typed).startswith(f"nobody has the address {shown}; ")
    assert terminal.refused("team", "member", "remove", typed, "a@example.com").startswith(
        f"there is no team {shown}; "
    )


@pytest.mark.parametrize("words", ["serve", "serve --workers 2", "demo"])
def test_a_server_tells_a_program_where_it_listens(tmp_path: Path, words: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command: list[str | Path] = [PROGRAM, *words.split(), "--port", "0", "--json"]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=log) as server,
    ):
        try:
            assert server.stdout is not None
            assert select.select([server.stdout], [], [], START_TIMEOUT_S)[0], (tmp_path / "log").read_text()
            told = json.loads(server.stdout.readline())
            port = told["url"].rpartition(":")[2]
            assert told["url"] == f"http://127.0.0.1:{int(port)}"
            assert "token" in told if words == "demo" else told["issuer"] == told["url"]
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(START_TIMEOUT_S) == 0
        assert server.stdout.read() == b""
    file = tmp_path / "data" / "keybearer.log" if words == "demo" else tmp_path / "log"
    listening = [line for line in file.read_text().splitlines() if '"event":"listening"' in line]
    assert len(listening) == 1


@pytest.mark.parametrize(
    ("variables", "has_colours"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_at_a_terminal_a_new_server_tells_where_it_is_and_nothing_that_would_worry_anybody(
    tmp_path: Path, variables: dict[str, str], *, has_colours: bool
) -> None:
    ours, theirs = os.openpty()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm", **variables}
    with subprocess.Popen([PROGRAM, "serve", "--port", "0"], cwd=tmp_path, env=environment, stderr=theirs) as server:
        os.close(theirs)
        said = b""
        try:
            while b"issuer" not in said:
                assert select.select([ours], [], [], START_TIMEOUT_S)[0], said
                said += os.read(ours, 65_536)
        finally:
            server.send_signal(signal.SIGTERM)
        while select.select([ours], [], [], START_TIMEOUT_S)[0]:
            try:
                os.read(ours, 65_536)
            except OSError:  # the last of their ends is closed
                break
    os.close(ours)
    assert b"listening" in said
    assert b"epoch" not in said
    assert (b"\x1b" in said) is has_colours
