"""The whole application in this process: its pages, its API, and the node behind them."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from pydantic import SecretStr
from starlette.applications import Starlette

from keybearer.server import clock
from keybearer.server.app import build_app
from keybearer.server.node import Node
from keybearer.server.settings import Settings
from keybearer.server.webhooks.egress import Network
from tests.support.browser import Browser
from tests.support.processes import ServerProcess


@dataclass(frozen=True, slots=True)
class House:
    """
    A running application; what it lends is closed with it.

    Args:
        state: what its lifespan gives the server that runs it.
    """

    app: Starlette
    settings: Settings
    state: Mapping[str, Any]
    lent: AsyncExitStack

    @property
    def node(self) -> Node:
        """The parts behind the doors, to set a scene with."""
        node: Node = self.app.state.node
        return node

    def browser(self) -> Browser:
        """Lend a new person's browser: no cookies yet."""
        return Browser(self._client({}))

    def api(self, token: str) -> httpx2.AsyncClient:
        """Lend a program's client that sends *token* with each call."""
        return self._client({"authorization": f"Bearer {token}"})

    def program(self) -> httpx2.AsyncClient:
        """Lend a program's client that sends no credentials of its own."""
        return self._client({})

    def _client(self, headers: dict[str, str]) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(self.app)
        client = httpx2.AsyncClient(transport=transport, base_url=self.settings.issuer, headers=headers)
        self.lent.push_async_callback(client.aclose)
        return client


@asynccontextmanager
async def open_house(
    settings: Settings,
    now: Callable[[], int],
    boottime: Callable[[], float] = clock.boottime,
    elapsed: Callable[[], float] = clock.boottime,
    network: Network | None = None,
) -> AsyncIterator[House]:
    """
    Run the application while the block lasts.

    Args:
        settings: say which database; it must be migrated.
        now: tells microseconds since 1970, UTC.
        boottime: tells seconds that go on while the machine sleeps.
        elapsed: the same for rate limits.
        network: the world outside; the real one if none is given.
    """
    app = build_app(settings, now=now, boottime=boottime, elapsed=elapsed, network=network)
    async with app.router.lifespan_context(app) as state, AsyncExitStack() as lent:
        yield House(app, settings, state or {}, lent)


@asynccontextmanager
async def house_beside(server: ServerProcess) -> AsyncIterator[House]:
    """Run a node on a server's database while the block lasts, to set the scene: a command takes a process each."""
    database_url = SecretStr(server.environment["KEYBEARER_DATABASE_URL"])
    settings = Settings(data_dir=server.folder, database_url=database_url, issuer=server.url)
    async with open_house(settings, clock.now) as house:
        yield house
