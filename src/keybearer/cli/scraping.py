"""The address on which ``GET /metrics`` is answered, beside the server's own and apart from it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.server import ServerState

from keybearer.server.metrics.scrape import Scrape
from keybearer.server.metrics.workers import Workers
from keybearer.server.upkeep import again_and_again

_KEEP_EVERY_S: Final = 1.0
_LAST_S: Final = 2.0  # what an answer under way is given at the end

Configure = Callable[[Callable[[], Starlette]], uvicorn.Config]


@dataclass(frozen=True, slots=True)
class Scraped:
    """
    Where this server is scraped.

    Args:
        listener: the socket, which all workers share.
        folder: where workers keep what they measure for each other; None where there is one.
    """

    listener: socket.socket
    folder: Path | None


def answer_metrics(app: Starlette, scraped: Scraped, configure: Configure) -> None:
    """
    Have *app*, while it runs, answer on the other address, too.

    Args:
        configure: returns how uvicorn serves an application: the same limits hold here as there.
    """
    alone = app.router.lifespan_context

    @asynccontextmanager
    async def both(app: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        async with (
            alone(app) as state,
            _measuring(app, scraped.folder) as scrape,
            _listening(scraped.listener, configure(lambda: scrape.application)),
        ):
            yield state or {}

    app.router.lifespan_context = both


@asynccontextmanager
async def _measuring(app: Starlette, folder: Path | None) -> AsyncIterator[Scrape]:
    """Measure this process; where it is a worker, let the others know."""
    workers = Workers(folder) if folder else None
    scrape = Scrape(app.state.node, app.state.requests, workers)
    if workers is None:
        yield scrape
        return
    keeping = asyncio.create_task(again_and_again(_KEEP_EVERY_S, "keeping metrics", scrape.keep))
    try:
        yield scrape
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await scrape.keep()
        workers.close()


@asynccontextmanager
async def _listening(listener: socket.socket, config: uvicorn.Config) -> AsyncIterator[None]:
    """Take connections as uvicorn does, and as it does let go of them at the end."""
    state = ServerState()
    config.load()
    server = await asyncio.get_running_loop().create_server(
        lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),  # type: ignore[call-arg]
        sock=listener,
        backlog=config.backlog,
    )
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_S):
                await server.wait_closed()
