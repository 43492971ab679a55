"""The command line in this process, on each database: what is typed, what is printed, how it ends."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keybearer.cli.main import run

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    exit_code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """The one object that `--json` printed."""
        (line,) = self.out.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


@dataclass(frozen=True, slots=True)
class Terminal:
    """Somebody at a terminal in a folder of their own."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def type(self, *words: str, stdin: str = "") -> Done:
        """Run `keybearer WORDS`."""
        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode("utf-8", "surrogateescape"))))
        exit_code = run(words)
        said = self.capsys.readouterr()
        return Done(exit_code, said.out, said.err)

    def told(self, *words: str, stdin: str = "") -> dict[str, Any]:
        """Run a command that is meant to succeed; return the object that it prints for programs."""
        done = self.type(*words, "--json", stdin=stdin)
        assert done.exit_code == 0, done.err
        assert done.err == ""
        return done.record

    def refused(self, *words: str, stdin: str = "", exit_code: int = 1) -> str:
        """Run a command that is meant to be refused; return what it says after `error: `, on one line."""
        done = self.type(*words, stdin=stdin)
        assert (done.exit_code, done.out) == (exit_code, ""), done
        (line,) = done.err.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")

    def set(self, **settings: str) -> None:
        """Set `KEYBEARER_…` variables."""
        for name, value in settings.items():
            self.monkeypatch.setenv(f"KEYBEARER_{name}", value)

    def add_person(self, name: str) -> dict[str, Any]:
        """Add a person whose address is `<name>@example.com`."""
        email = f"{name.lower()}@example.com"
        return self.told("user", "add", email, "--name", name, "--password-stdin", stdin=f"{PASSWORD}\n")


@pytest.fixture
def bare_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Sit down where nothing was set up yet."""
    monkeypatch.chdir(tmp_path)
    return Terminal(monkeypatch, capsys)


@pytest.fixture
def terminal(bare_terminal: Terminal, database_url: str) -> Terminal:
    """Sit down beside a migrated database of each kind."""
    bare_terminal.set(DATABASE_URL=database_url)
    return bare_terminal


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords quickly: the parameters are part of the hash, and have tests of their own."""
    from argon2 import PasswordHasher  # noqa: PLC0415

    from keybearer.cli import people  # noqa: PLC0415
    from keybearer.server.accounts.passwords import Passwords  # noqa: PLC0415

    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(people, "Passwords", lambda: Passwords(cheap))
