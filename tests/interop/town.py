"""The town: a server process with people in several teams, live and sandbox."""

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.people import PASSWORD, Person, address_of, told
from tests.support.processes import ServerProcess, running_server

# Who is what where; the first of each team owns it. Ada, Bo and Cy are each in several, as different things.
TEAMS: Final = {
    "Acme": ("sandbox", {"ada": "owner", "bo": "read-only", "cy": "member"}),
    "Birch": ("sandbox", {"bo": "owner", "ada": "member"}),
    "Cedar": ("sandbox", {"cy": "owner", "ada": "assigned-only"}),
    "Dune": ("sandbox", {"ada": "owner", "bo": "member"}),
    "Elm": ("live", {"ada": "owner", "bo": "member"}),
}


@dataclass(frozen=True, slots=True)
class Town:
    """A running server and the teams in it: name -> id."""

    server: ServerProcess
    teams: dict[str, int]

    @property
    def url(self) -> str:
        """Where the server is reached."""
        return self.server.url


People = Callable[[str], Awaitable[Person]]
Drive = Callable[..., Awaitable[dict[str, Any]]]


@contextmanager
def settled(folder: Path, database_url: str) -> Iterator[Town]:
    """Run a town while the block lasts; its people and teams come in by the command line."""
    with running_server(folder, database_url) as server:
        for name in sorted({name for _, members in TEAMS.values() for name in members}):
            about = ["user", "add", address_of(name), "--name", name.title(), "--password-stdin", "--verified"]
            told(server, *about, stdin=f"{PASSWORD}\n")
        yield Town(server, {team: _founded(server, team) for team in TEAMS})


def _founded(server: ServerProcess, team: str) -> int:
    environment, members = TEAMS[team]
    owner, *others = members
    added = told(server, "team", "add", team, "--environment", environment, "--owner", address_of(owner), "--json")
    team_id = int(json.loads(added)["id"])
    for name in others:
        told(server, "team", "member", "set", str(team_id), address_of(name), "--role", members[name])
    return team_id
