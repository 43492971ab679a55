"""A server with a small team, its integrator at a browser, and what they hold."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.databases import copy_sqlite
from tests.support.people import PASSWORD, Person, address_of, at_browser, told
from tests.support.processes import ServerProcess, running_server

# The people of the guides' answers, and what they are in the team.
PEOPLE: Final = {"ada": ("Ada Lovelace", "owner"), "charles": ("Charles Babbage", "read-only")}
# The webhooks of the guides are sent to this machine.
_SETTINGS: Final = {"KEYBEARER_WEBHOOK_PRIVATE_ADDRESSES": "true"}
TEAM: Final = "Analytical Engines"


@dataclass(frozen=True, slots=True)
class Office:
    """A running server, the team in it, and the key of an API that takes the team's tokens."""

    server: ServerProcess
    team_id: int
    key: str


@pytest.fixture
def database_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """Use SQLite alone: the guides ask the store for nothing but who is signed in."""
    return copy_sqlite(migrated_sqlite, tmp_path / "keybearer.db")


@pytest.fixture(scope="session")
def office(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Run a server with the team of the guides' answers."""
    folder = tmp_path_factory.mktemp("office")
    with running_server(folder, copy_sqlite(migrated_sqlite, folder / "keybearer.db"), _SETTINGS) as server:
        for account, (name, _) in PEOPLE.items():
            about = ["user", "add", address_of(account), "--name", name, "--password-stdin", "--verified"]
            told(server, *about, stdin=f"{PASSWORD}\n")
        about = ["team", "add", TEAM, "--environment", "sandbox", "--owner", address_of("ada"), "--json"]
        team_id = int(json.loads(told(server, *about))["id"])
        told(server, "team", "member", "set", str(team_id), address_of("charles"), "--role", PEOPLE["charles"][1])
        added = told(server, "resource-server", "add", "People API", "--environment", "sandbox", "--json")
        yield Office(server, team_id, json.loads(added)["key"])


@pytest.fixture
async def ada(office: Office) -> AsyncIterator[Person]:
    """Have Ada signed in."""
    async with at_browser(office.server, "ada") as person:
        await person.sign_in()
        yield person


@pytest.fixture
async def charles(office: Office) -> AsyncIterator[Person]:
    """Have Charles signed in, who may only read."""
    async with at_browser(office.server, "charles") as person:
        await person.sign_in()
        yield person
