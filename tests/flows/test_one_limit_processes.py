"""One rate limit for all workers and nodes of a server: processes that share a database share the count."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx2
import pytest

from keybearer.server.rules.quota import slack
from tests.support.people import PASSWORD, address_of, at_browser, told
from tests.support.processes import ServerProcess, server_process

LIMIT: Final = 30  # an hour, so that next to nothing is regained while this runs
CALLS: Final = 90
PROCESSES: Final = 2
SETTINGS: Final = {"KEYBEARER_RATE_LIMIT": f"{LIMIT}/hour"}
AT_MOST: Final = LIMIT + slack(LIMIT, 3600, PROCESSES) + 1  # what is regained in a minute


@pytest.fixture
def servers(database_url: str, tmp_path: Path) -> Iterator[list[ServerProcess]]:
    """Have two processes on one database, as two workers or two nodes are."""
    folders = [tmp_path / str(number) for number in range(PROCESSES)]
    for folder in folders:
        folder.mkdir()
    made = [server_process(folder, database_url, SETTINGS) for folder in folders]
    try:
        for each in made:
            each.start()
        yield made
    finally:
        for each in made:
            if each.is_running():
                each.kill()


async def token_of_ada(server: ServerProcess) -> str:
    about = ["user", "add", address_of("ada"), "--name", "ada", "--password-stdin", "--verified"]
    told(server, *about, stdin=f"{PASSWORD}\n")
    added = told(server, "team", "add", "Engines", "--environment", "live", "--owner", address_of("ada"), "--json")
    assert json.loads(added)["id"]
    async with at_browser(server, "ada") as ada:
        await ada.sign_in()
        return await ada.make_token("Import")


async def let_through(servers: list[ServerProcess], token: str) -> int:
    """Make many calls, to each process in turn; count what passed."""
    lanes = asyncio.Semaphore(8)

    async def one(program: httpx2.AsyncClient, number: int) -> int:
        async with lanes:
            return (await program.get(f"{servers[number % len(servers)].url}/api/v2/status")).status_code

    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=30) as program:
        codes = await asyncio.gather(*(one(program, number) for number in range(CALLS)))
    assert set(codes) <= {204, 429}
    return codes.count(204)


async def test_processes_share_one_limit_and_starting_anew_refills_nothing(servers: list[ServerProcess]) -> None:
    token = await token_of_ada(servers[0])
    first = await let_through(servers, token)
    assert LIMIT // 2 < first <= AT_MOST
    servers[0].kill()
    await asyncio.to_thread(servers[0].start)
    assert first + await let_through(servers, token) <= AT_MOST
