"""The demo: what it prints works when it is pasted, twice over, and it touches nothing that is not its own."""

import contextlib
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.support.browser import Browser
from tests.support.processes import PROGRAM, free_port

START_S = 60
PEOPLE = ["ada@example.com", "ben@example.com", "cleo@example.com"]


@dataclass(slots=True)
class Demo:
    """`keybearer demo` in a folder of its own."""

    folder: Path
    port: int
    process: subprocess.Popen[str] | None = None
    words: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        """The one that was printed."""
        (found,) = re.findall(r"each with the password (\S+)$", self.words, re.MULTILINE)
        return str(found)

    @property
    def curl(self) -> list[str]:
        """The line that was printed to be pasted, as a shell would take it apart."""
        (line,) = [line for line in self.words.splitlines() if line.startswith("curl ")]
        return shlex.split(line)

    def start(self, **settings: str) -> "Demo":
        """Start it, and wait until it has said all that it says."""
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "KEYBEARER_DATA_DIR": "demo", **settings}
        self.process = subprocess.Popen(
            [PROGRAM, "demo", "--port", str(self.port)],
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "Ctrl+C" in line:
                break
        self.words = "".join(lines)
        return self

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """End it; return the exit code, and whatever it said after the first words."""
        assert self.process is not None
        self.process.send_signal(with_signal)
        said, _ = self.process.communicate(timeout=START_S)
        return self.process.returncode, said

    def call(self) -> tuple[int, dict[str, object]]:
        """Paste the printed line into a shell; return the status and the body."""
        done = subprocess.run(
            [*self.curl, "--silent", "--write-out", "\n%{http_code}"], capture_output=True, text=True, check=True
        )
        body, status = done.stdout.rsplit("\n", 1)
        return int(status), json.loads(body)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path, free_port())
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop()
    with contextlib.suppress(AttributeError):
        made.process.stdout.close()  # type: ignore[union-attr]


@contextlib.contextmanager
def database(demo: Demo) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(demo.folder / "demo" / "keybearer.db")) as connection:
        yield connection


def test_it_says_in_this_order_where_who_how_and_what_next(demo: Demo) -> None:
    lines = demo.start().words.splitlines()
    assert lines[0] == f"Keybearer listens on {demo.url}"
    said = [line.split()[0] for line in lines if line]
    assert said == ["Keybearer", "Sign", *PEOPLE, "Call", "curl", "Next:", "Guides"]
    assert demo.stop() == (0, "")


def test_the_printed_call_answers_with_the_right_user_in_a_sandbox_team(demo: Demo) -> None:
    status, user = demo.start().call()
    assert (status, user["object"], user["email"]) == (200, "user", "ada@example.com")
    api = httpx2.get(f"{demo.url}/api/v2/team", headers=dict([demo.curl[2].split(": ", 1)]))
    assert api.json()["identifier"] == "northwind-sandbox"


async def test_every_printed_sign_in_works(demo: Demo) -> None:
    demo.start()
    for email in PEOPLE:
        async with httpx2.AsyncClient(base_url=demo.url, timeout=30) as client:
            browser = Browser(client)
            await browser.get("/login")
            page = await browser.fill_and_submit("Sign in", email=email, password=demo.password)
            assert page.status in {200, 404}, page.text  # wherever the person is sent to: signed in
            page = await browser.get("/switch-team")
            assert (page.status, page.url) == (200, f"{demo.url}/switch-team")
            assert "Northwind sandbox" in page.text


def test_a_second_start_keeps_everything_but_makes_the_token_anew(demo: Demo) -> None:
    demo.start()
    password, former = demo.password, demo.curl
    with database(demo) as held:
        before = held.execute("SELECT count(*), max(user_id) FROM users").fetchone()
    assert demo.stop(signal.SIGINT)[0] == 0
    demo.start()
    assert demo.password == password
    assert demo.curl != former
    assert demo.call()[0] == 200
    headers = dict([former[2].split(": ", 1)])
    assert httpx2.get(f"{demo.url}/api/v2/me", headers=headers).status_code == 401
    with database(demo) as held:
        assert held.execute("SELECT count(*), max(user_id) FROM users").fetchone() == before
        environments = held.execute("SELECT environment FROM teams ORDER BY environment").fetchall()
        assert environments == [("live",), ("sandbox",)]
        assert held.execute("SELECT count(*) FROM clients").fetchone() == (1,)


def test_what_it_says_to_try_next_is_so_and_does_no_harm_to_the_next_start(demo: Demo) -> None:
    demo.start()
    headers = dict([demo.curl[2].split(": ", 1)])
    assert httpx2.delete(f"{demo.url}/api/v2/token", headers=headers).status_code == 204
    assert demo.call() == (401, {"error": "Unauthenticated."})
    demo.stop()
    assert demo.start().call()[0] == 200


def test_a_foreign_folder_is_left_alone(demo: Demo) -> None:
    demo.start()
    demo.stop()
    (demo.folder / "demo" / "demo.json").unlink()
    with database(demo) as held:
        before = list(held.iterdump())
    words = demo.start().words
    assert words.startswith("error: demo holds something else than the demo, so nothing is added to it; ")
    assert demo.stop()[0] == 1
    with database(demo) as held:
        assert list(held.iterdump()) == before


def test_it_never_fills_a_database_that_was_set_for_the_server(demo: Demo) -> None:
    demo.start(KEYBEARER_DATABASE_URL="postgresql://nobody@127.0.0.1:1/production")
    assert demo.call()[0] == 200


def test_nobody_else_on_the_machine_reads_what_it_keeps(demo: Demo) -> None:
    demo.start()
    kept = [demo.folder / "demo", *(demo.folder / "demo").iterdir()]
    assert [file.name for file in kept if file.stat().st_mode & 0o077] == []
    assert demo.curl[2].split()[-1] not in (demo.folder / "demo" / "keybearer.log").read_text()
