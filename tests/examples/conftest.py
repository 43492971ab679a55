"""A Keybearer with a team for each test, and the example API behind it, in the sandbox and live, over one file."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from pydantic import SecretStr

from keybearer.server import clock
from keybearer.server.settings import Settings
from tests.support.databases import copy_sqlite
from tests.support.house import open_house
from tests.support.processes import ServerProcess, free_port, server_process
from tests.support.scenes import Scene
from tests.support.verifiers import asking

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
ROLES: Final = ("owner", "member", "read-only", "assigned-only")
TEAMS: Final = ("verbs", "changes", "roles", "assigned", "pages", "wrong", "here", "there", "ended")
PATIENCE_S: Final = 30


@dataclass(frozen=True, slots=True)
class PeopleAPI:
    """The example API as a process; *token* says who calls."""

    url: str
    client: httpx2.Client

    def call(self, method: str, path: str, token: str | None, json: Any = None) -> httpx2.Response:
        """Send a request."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return self.client.request(method, self.url + path, headers=headers, json=json)

    def add(self, token: str, **person: Any) -> dict[str, Any]:
        """Add a person; return what is said of them."""
        answer = self.call("POST", "/people", token, person)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def names(self, token: str, query: str = "") -> list[str]:
        """Return the names on a page of the list."""
        answer = self.call("GET", f"/people{query}", token)
        assert answer.status_code == 200, answer.text
        return [person["name"] for person in answer.json()["data"]]


@dataclass(slots=True)
class Town:
    """A running Keybearer; each team of the sandbox and its twin of the live environment have a token of each role."""

    server: ServerProcess
    keys: dict[str, str] = field(default_factory=dict)
    tokens: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)

    def of(self, team: str, environment: str = "sandbox") -> dict[str, str]:
        """Return the tokens of a team, by role."""
        return self.tokens[environment, team]


@contextmanager
def running_town(folder: Path, database_url: str, *teams: str, **settings: str) -> Iterator[Town]:
    """Put people and teams into the database, and run the server."""
    town = Town(server_process(folder, database_url, settings))
    asyncio.run(_people(town, Settings(data_dir=folder, database_url=SecretStr(database_url)), teams))
    town.server.start()
    try:
        yield town
    finally:
        if town.server.is_running():
            town.server.stop()


async def _people(town: Town, settings: Settings, teams: tuple[str, ...]) -> None:
    async with open_house(settings, clock.now) as house:
        scene = Scene(house.node)
        users = {role: await scene.person(role.title()) for role in ROLES}
        town.users = {role: user.user_id for role, user in users.items()}
        for environment in ("sandbox", "live"):
            town.keys[environment] = (await asking(house, environment, f"People {environment}")).key
            for name in teams:
                team = await scene.team(name, environment, owner=users["owner"])
                for role in ROLES[1:]:
                    await scene.member(team, users[role], role)
                town.tokens[environment, name] = {
                    role: await scene.personal_token(user, team) for role, user in users.items()
                }


@contextmanager
def running_api(town: Town, environment: str, folder: Path) -> Iterator[PeopleAPI]:
    """Run the example as its README says, and wait until it is ready."""
    port = free_port()
    settings = {"KEYBEARER_URL": town.server.url, "KEYBEARER_KEY": town.keys[environment], "PEOPLE_DB": "people.db"}
    with (folder / f"{environment}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--app-dir", EXAMPLES, "people_api.main:app", "--port", str(port)],
            cwd=folder,
            env={"PATH": os.environ["PATH"], **settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        with httpx2.Client(timeout=PATIENCE_S) as client:
            api = PeopleAPI(f"http://127.0.0.1:{port}", client)
            until(lambda: _is_ready(api), lambda: Path(log.name).read_text("utf-8"))
            yield api
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def until(is_so: Any, why_not: Any = lambda: "it did not come about in time") -> None:
    """Wait for something to come about."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < PATIENCE_S, why_not()
        time.sleep(0.02)


def _is_ready(api: PeopleAPI) -> bool:
    try:
        return api.call("GET", "/readyz", None).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture(scope="module")
def town(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Run a town; the example asks the store for nothing, so one kind of database will do."""
    folder = tmp_path_factory.mktemp("town")
    with running_town(folder, copy_sqlite(migrated_sqlite, folder / "keybearer.db"), *TEAMS) as running:
        yield running


@pytest.fixture(scope="module")
def apis(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, PeopleAPI]]:
    """Run the example twice over one file of people."""
    folder = tmp_path_factory.mktemp("apis")
    with ExitStack() as held:
        yield {each: held.enter_context(running_api(town, each, folder)) for each in ("sandbox", "live")}


@pytest.fixture
def api(apis: dict[str, PeopleAPI]) -> PeopleAPI:
    """The one of the sandbox."""
    return apis["sandbox"]
