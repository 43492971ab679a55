"""One rate limit for all workers and nodes of a server: processes that share a database share the count."""

import asyncio
from collections.abc import AsyncIterator
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import httpx2
import pytest
from pydantic import SecretStr

from keybearer.server import clock
from keybearer.server.rules.quota import slack
from keybearer.server.settings import Settings
from tests.support.house import House, open_house
from tests.support.processes import ServerProcess, server_process
from tests.support.scenes import Scene

LIMIT: Final = 30  # an hour, so that next to nothing is regained while this runs
RATE: Final = f"{LIMIT}/hour"
AT_MOST: Final = LIMIT + slack(LIMIT, 3600, 2) + 1  # what is regained in two minutes
PATIENCE_S: Final = 60


@pytest.fixture
async def here(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Have one node in this process."""
    settings = Settings(data_dir=tmp_path / "here", database_url=SecretStr(database_url), rate_limit=RATE)
    async with open_house(settings, clock.now) as house:
        yield house


@pytest.fixture
async def elsewhere(database_url: str, tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Have another one in a process of its own, which was not started yet."""
    server = server_process(tmp_path, database_url, {"KEYBEARER_RATE_LIMIT": RATE})
    try:
        yield server
    finally:
        if server.is_running():
            server.kill()


async def let_through(calls: int, *programs: httpx2.AsyncClient) -> int:
    """Make so many calls, several at once, to each process in turn; return how many passed."""
    lanes = asyncio.Semaphore(8)

    async def one(program: httpx2.AsyncClient) -> int:
        async with lanes:
            return (await program.get("/api/v2/status")).status_code

    codes = await asyncio.gather(*(one(program) for program in islice(cycle(programs), calls)))
    assert set(codes) <= {204, 429}
    return codes.count(204)


async def test_processes_share_one_limit_and_one_that_starts_refills_nothing(
    here: House, elsewhere: ServerProcess
) -> None:
    scene = Scene(here.node)
    ada = await scene.person("Ada")
    token = await scene.personal_token(ada, await scene.team("Engines", "live", owner=ada))
    before = await let_through(LIMIT // 2, here.api(token))
    await asyncio.to_thread(elsewhere.start)
    bearer = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=bearer, base_url=elsewhere.url, timeout=PATIENCE_S) as there:
        after = await let_through(2 * LIMIT, here.api(token), there)
    assert before == LIMIT // 2
    assert 0 < after <= AT_MOST - before
