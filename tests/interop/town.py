"""The town: a server process with people in several teams, live and sandbox."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from keybearer.server import clock
from keybearer.server.settings import Settings
from tests.support.house import open_house
from tests.support.people import Person
from tests.support.processes import ServerProcess, running_server
from tests.support.scenes import Scene

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
    """Run a town while the block lasts; its people and teams are there before the server starts."""
    teams = asyncio.run(_peopled(Settings(data_dir=folder, database_url=SecretStr(database_url))))
    with running_server(folder, database_url) as server:
        yield Town(server, teams)


async def _peopled(settings: Settings) -> dict[str, int]:
    """Put everybody in their teams, directly: the command line, which is tested elsewhere, would take a minute."""
    async with open_house(settings, clock.now) as house:
        scene = Scene(house.node)
        names = sorted({name for _, members in TEAMS.values() for name in members})
        people = {name: await scene.person(name.title()) for name in names}
        founded = {}
        for name, (environment, members) in TEAMS.items():
            team = await scene.team(name, environment)
            founded[name] = team.team_id
            for member, role in members.items():
                await scene.member(team, people[member], role)
        return founded
