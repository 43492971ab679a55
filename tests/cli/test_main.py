"""What all commands have in common: quick help, one line for an error, an exit code for programs."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal
from tests.support.processes import PROGRAM

HEAVY = {
    "alembic",
    "apsw",
    "asyncpg",
    "pydantic",
    "sqlalchemy",
    "starlette",
    "structlog",
    "uvicorn",
    "keybearer.server.app",
}
COMMANDS = ["serve", "demo", "migrate", "settings", "doctor", "user", "team", "token", "resource-server", "activity"]


def test_help_loads_nothing_that_takes_time() -> None:
    script = "import sys; from keybearer.cli.main import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stderr.split()) == set()


def test_the_installed_program_tells_its_commands() -> None:
    done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True)
    listed = done.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == COMMANDS
    assert all(len(line.split()) > 2 for line in listed)


@pytest.mark.parametrize(
    "words",
    [(), *((command,) for command in COMMANDS), ("user", "add"), ("team", "member", "set"), ("token", "inspect")],
    ids=" ".join,
)
def test_every_command_explains_itself(bare_terminal: Terminal, words: tuple[str, ...]) -> None:
    done = bare_terminal.type(*words, "--help")
    assert (done.exit_code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: {' '.join(('keybearer', *words))} ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nosuch", "no such command 'nosuch'; see 'keybearer --help'"),
        ("user nosuch", "no such command 'nosuch'; see 'keybearer user --help'"),
        ("migrate now", "got unexpected extra argument(s) (now); see 'keybearer migrate --help'"),
        ("serve --port 99999", "invalid value for '--port'"),
        ("serve --workers 0", "invalid value for '--workers'"),
        ("demo --port http", "invalid value for '--port'"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_where_to_read_on(bare_terminal: Terminal, words: str, said: str) -> None:
    assert said in bare_terminal.refused(*words.split(), exit_code=2)


def test_the_version_is_told_and_nothing_else_is_done(bare_terminal: Terminal, tmp_path: Path) -> None:
    done = bare_terminal.type("--version")
    assert (done.exit_code, done.out, done.err) == (0, f"keybearer {version('keybearer')}\n", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        "user disable x\udcff",
        "team member remove x\udcff a@example.com",
        "resource-server revoke \udcff",
        "activity erase --user a@example.com --basis \udcff",
    ],
)
def test_bytes_that_are_no_text_are_wrong_usage(terminal: Terminal, words: str) -> None:
    assert terminal.refused(*words.split(), exit_code=2).startswith("what was typed is not UTF-8; ")


@pytest.mark.parametrize("where", ["typer", "keybearer.cli.examination"])
def test_ctrl_c_ends_a_command_with_a_line_even_while_it_is_being_loaded(where: str) -> None:
    script = f"""
import sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == "{where}":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from keybearer.cli.program import main
main()
"""
    command = [sys.executable, "-c", script, "doctor"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "error: interrupted; nothing more was done\n")


@pytest.mark.parametrize("words", ["--help", "settings"])
def test_a_disk_that_is_full_of_what_is_printed_is_told_in_one_line(words: str) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run([PROGRAM, words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (1, "error: what there is to print: no space left on device\n")


def test_migrate_says_whether_there_was_anything_to_do(bare_terminal: Terminal) -> None:
    first, again = bare_terminal.told("migrate"), bare_terminal.told("migrate")
    assert (first["changed"], again["changed"]) == (True, False)
    assert first["revision"] == again["revision"]
    assert bare_terminal.type("migrate").out == f"changed   no\nrevision  {first['revision']}\n"


def test_the_output_for_programs_can_be_read_whatever_a_name_holds(terminal: Terminal) -> None:
    words = ("user", "add", "z@example.com", "--name", 'Zoë "Z" \\ 山', "--password-stdin", "--json")
    done = terminal.type(*words, stdin="correct horse battery staple")
    assert json.loads(done.out)["name"] == 'Zoë "Z" \\ 山'
