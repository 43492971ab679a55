"""Attack C11: the server is killed at any moment of its clients' refreshes, as a power cut would end it."""

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from pydantic import SecretStr

from keybearer.server import clock, secrets
from keybearer.server.settings import Settings
from keybearer.server.store import tables
from tests.support.house import House, open_house
from tests.support.oauth import Play, set_play
from tests.support.processes import ServerProcess, server_process

ROUNDS = 2
HOLDERS = 6
MOST_TRADES = 60  # of all holders, until the server is killed


@dataclass(slots=True)
class Holder:
    """A program of the app's that trades its refresh token; it holds what was delivered last."""

    credentials: dict[str, str]
    pair: dict[str, Any]
    trades: int = 0

    async def trade(self, client: httpx2.AsyncClient) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": self.pair["refresh_token"]}
        answer = await client.post("/oauth/token", data=self.credentials | form)
        assert answer.status_code == 200, answer.text
        self.pair = answer.json()
        self.trades += 1

    async def trade_until_the_server_dies(self, client: httpx2.AsyncClient, served: asyncio.Semaphore) -> None:
        with contextlib.suppress(httpx2.TransportError):
            while True:
                await self.trade(client)
                served.release()


async def test_c11_a_server_killed_in_the_middle_of_refreshes_leaves_each_family_one_pair_that_works(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(database_url), issuer="https://keybearer.test")
    async with open_house(settings, clock.now) as house:
        holders = await let_in(await set_play(house))
    server = server_process(tmp_path, database_url)
    for _ in range(ROUNDS):
        await killed_while_serving(server, holders)
        died_at = clock.now()
        # The next node goes on from that very moment, however long this machine takes to start it.
        async with open_house(settings, lambda at=died_at: at) as house:  # type: ignore[misc]
            for holder in holders:
                await check_goes_on(house, holder)
            await check_one_pair_each(house)
    assert sum(holder.trades for holder in holders) >= 3 * ROUNDS * HOLDERS, "the server was killed before it served"


async def let_in(play: Play) -> list[Holder]:
    credentials = {"client_id": play.app.client.client_id, "client_secret": play.app.secret}
    return [Holder(credentials, await play.pair()) for _ in range(HOLDERS)]


async def killed_while_serving(server: ServerProcess, holders: list[Holder]) -> None:
    server.start()
    try:
        async with httpx2.AsyncClient(base_url=server.url, timeout=20) as client:
            for holder in holders:
                await holder.trade(client)
            served = asyncio.Semaphore(0)
            trading = [asyncio.create_task(holder.trade_until_the_server_dies(client, served)) for holder in holders]
            await a_moment_of_serving(served)
            server.kill()
            await asyncio.gather(*trading)
    finally:
        if server.is_running():
            server.kill()


async def a_moment_of_serving(served: asyncio.Semaphore) -> None:
    """Wait for a few more refreshes: counted, not timed, so that a slow machine has served as well."""
    async with asyncio.timeout(60):
        for _ in range(random.randint(HOLDERS, MOST_TRADES)):  # noqa: S311 - a moment, no secret
            await served.acquire()
    await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 - anywhere in the next refresh


async def check_goes_on(house: House, holder: Holder) -> None:
    """Whether the last refresh was kept or not: its token brings a pair, and what was delivered before it is dead."""
    before = holder.pair
    await holder.trade(house.program())
    assert (await house.api(holder.pair["access_token"]).get("/api/v2/status")).status_code == 204
    assert (await house.api(before["access_token"]).get("/api/v2/status")).status_code == 401
    held = await house.node.database.many(tables.tokens.select())
    used = {row["digest"] for row in held if row["used_at"] is not None}
    assert secrets.digest(before["refresh_token"]) in used
    assert secrets.digest(holder.pair["refresh_token"]) not in used


async def check_one_pair_each(house: House) -> None:
    held = await house.node.database.many(tables.tokens.select())
    live = [row for row in held if row["used_at"] is None and row["revoked_at"] is None]
    assert Counter((row["pair_id"], row["kind"]) for row in live).total() == 2 * HOLDERS
    assert set(Counter((row["family_id"], row["kind"]) for row in live).values()) == {1}
    assert len({row["pair_id"] for row in live}) == HOLDERS
