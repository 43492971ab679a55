"""Nodes under a machine's clock for the hand, and a program that waits for its revocation to come to everybody."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from pydantic import SecretStr

from keybearer.server.settings import Settings
from tests.support.api import Stage
from tests.support.clock import HandBoottime, HandClock
from tests.support.house import House, open_house

TOKEN = "/api/v2/token"
PREFER = {"prefer": "wait=propagated"}
APPLIED = "preference-applied"
BOUND_S = 10
PATIENCE_S = 30


@dataclass(slots=True)
class Town:
    """Nodes on one database, under one machine's clock that stands still."""

    settings: Settings
    clock: HandClock
    lent: AsyncExitStack
    boottime: HandBoottime = field(default_factory=HandBoottime)

    async def node(self) -> House:
        """Start another node."""
        return await self.lent.enter_async_context(self.node_for_a_while())

    @asynccontextmanager
    async def node_for_a_while(self) -> AsyncIterator[House]:
        """Run another node while the block lasts."""
        async with open_house(self.settings, self.clock.now, self.boottime.now) as house:
            yield house


@asynccontextmanager
async def open_town(database_url: str, folder: Path, clock: HandClock) -> AsyncIterator[Town]:
    """Lend a place for nodes while the block lasts; they end with it, the last one first."""
    async with AsyncExitStack() as lent:
        settings = Settings(data_dir=folder, database_url=SecretStr(database_url), issuer="https://keybearer.test")
        yield Town(settings, clock, lent)


async def revoking(stage: Stage, headers: dict[str, str] | None = None) -> asyncio.Task[httpx2.Response]:
    """Begin to revoke a new token by itself, and wait until the answer waits."""
    calls = await stage.personal(stage.ada, stage.acme)
    task = asyncio.create_task(calls.delete(TOKEN, headers=PREFER if headers is None else headers))
    await until(lambda: task.done() or stage.house.node.certainty.waiting > 0)
    return task


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that no event tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def still_waits(task: asyncio.Task[httpx2.Response]) -> None:
    """See that several looks of the node end nothing."""
    await asyncio.sleep(0.3)
    assert not task.done()


async def certain(task: asyncio.Task[httpx2.Response]) -> None:
    """See the answer come, and say that it was waited for."""
    async with asyncio.timeout(PATIENCE_S):
        answer = await task
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers[APPLIED] == "wait=propagated"
