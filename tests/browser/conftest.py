"""One town for every test that looks at it through a browser."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support import gallery
from tests.support.databases import copy_sqlite
from tests.support.gallery import Desks
from tests.support.processes import ServerProcess, server_process


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[ServerProcess]:
    """Run one server with a life behind it."""
    folder = tmp_path_factory.mktemp("gallery")
    server = server_process(folder, copy_sqlite(migrated_sqlite, folder / "keybearer.db"))
    asyncio.run(gallery.fill(server))
    server.start()
    yield server
    server.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desks(chromium: Browser, town: ServerProcess) -> AsyncIterator[Desks]:
    async with AsyncExitStack() as lent:
        yield Desks(chromium, town, lent)
