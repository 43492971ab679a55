"""The demo: what it prints works when it is pasted, twice over, and it touches nothing that is not its own."""

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.browser import Browser
from tests.support.processes import PROGRAM, free_port

START_S = 60
PEOPLE_API = str(Path(__file__).parents[2] / "examples/people_api")
PEOPLE = ["ada@example.com", "ben@example.com", "cleo@example.com"]


@dataclass(slots=True)
class Demo:
    """`keybearer demo` in a folder of its own."""

    folder: Path
    port: int
    api: str = ""
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
    def curls(self) -> list[list[str]]:
        """The lines that were printed to be pasted, as a shell would take them apart."""
        return [shlex.split(line) for line in self.words.splitlines() if line.startswith("curl ")]

    @property
    def curl(self) -> list[str]:
        """The first of them."""
        return self.curls[0]

    @property
    def people_url(self) -> str:
        """Where the example API is called."""
        return self.curls[1][-1]

    def start(self, **settings: str) -> "Demo":
        """Start it as `make run` does, and wait until it has said all that it says."""
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "KEYBEARER_DATA_DIR": "demo", **settings}
        self.process = subprocess.Popen(
            [PROGRAM, "demo", "--port", str(self.port), *(["--api", self.api] if self.api else [])],
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

    def call(self, which: int = 0) -> tuple[int, dict[str, object]]:
        """Paste a printed line into a shell; return the status and the body."""
        done = subprocess.run(
            [*self.curls[which], "--silent", "--write-out", "\n%{http_code}"],
            capture_output=True,
            text=True,
            check=True,
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


def test_with_an_api_beside_it_a_second_call_goes_through_that(demo: Demo) -> None:
    demo.api = PEOPLE_API
    lines = demo.start().words.splitlines()
    said = [line.split()[0] for line in lines if line]
    assert said == ["Keybearer", "Sign", *PEOPLE, "Call", "curl", "Call", "curl", "Next:", "Guides"]
    assert [demo.call(which)[0] for which in (0, 1)] == [200, 200]
    headers = dict([demo.curl[2].split(": ", 1)])
    added = httpx2.post(demo.people_url, headers=headers, json={"name": "Grace Hopper"}, timeout=START_S)
    assert (added.status_code, added.json()["created_by"]["name"]) == (201, "Ada Quill")
    assert demo.call(1)[1]["total"] == 1
    loose = [file.name for file in (demo.folder / "demo").iterdir() if file.stat().st_mode & 0o077]
    assert loose == []
    assert demo.stop(signal.SIGINT) == (0, "")
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(demo.people_url)

    with socket.create_server(("127.0.0.1", int(demo.people_url.split(":")[2].split("/")[0]))):
        taken = demo.people_url
        demo.start()
        assert demo.people_url != taken
        assert demo.call(1) == (200, {**demo.call(1)[1], "total": 1})
    with database(demo) as held:
        keys = held.execute("SELECT revoked_at IS NULL FROM resource_servers ORDER BY created_at").fetchall()
        assert keys == [(0,), (1,)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"api": "nowhere"}, "error: there is no API in nowhere; name the folder", id="no such folder"),
        pytest.param({"port": 1}, "error: cannot listen on 127.0.0.1 port", id="a taken port"),
    ],
)
def test_what_is_in_its_way_is_said_before_anything_is_written(demo: Demo, settings: dict[str, Any], said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo.api = settings.get("api", PEOPLE_API)
        demo.port = taken.getsockname()[1] if "port" in settings else demo.port
        assert demo.start().words.startswith(said)
        assert demo.stop()[0] == 1
    assert not (demo.folder / "demo").exists()


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
        assert held.execute("SELECT count(*) FROM notices").fetchone() == (0,)  # nobody is mailed about the former one
    assert not (demo.folder / "demo" / "mail").exists()


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
