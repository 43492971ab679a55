"""The one place where the parts meet."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from keybearer.server import clock, failures
from keybearer.server.clock import Clock
from keybearer.server.http.edge import Edge
from keybearer.server.last_used import LastUsed
from keybearer.server.mail import Mailer
from keybearer.server.node import Node
from keybearer.server.passwords import Passwords
from keybearer.server.quotas import Quotas
from keybearer.server.settings import Settings
from keybearer.server.store.database import Database, open_database
from keybearer.server.store.faults import StoreFault

_WRITE_USES_EVERY_S: Final = 5
_LOG = structlog.get_logger("keybearer.app")


def build_app(settings: Settings, *, now: Clock = clock.now) -> Starlette:
    """
    Return the whole server as one ASGI application.

    The database is opened when the application starts, and the doors are made then.

    Args:
        now: microseconds since 1970 UTC.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _open_node(settings, now) as node:
            app.state.node = node
            app.router.routes[:] = _routes(node)
            yield

    edge = Middleware(Edge, trusted=frozenset(settings.trusted_proxies), now=now, is_https=settings.is_https)
    return Starlette(lifespan=lifespan, middleware=[edge], exception_handlers=failures.handlers(settings))


@asynccontextmanager
async def _open_node(settings: Settings, now: Clock) -> AsyncIterator[Node]:
    """Open what a node works with, and close it in the reverse order."""
    database = await open_database(settings.store_url)
    node = Node(
        settings=settings,
        database=database,
        now=now,
        passwords=Passwords(),
        mailer=Mailer(settings.smtp_url.get_secret_value(), settings.data_dir / "mail", settings.mail_from),
        quotas=Quotas(settings.rate),
        last_used=LastUsed(),
        role_permissions=settings.role_permissions,
    )
    writing = asyncio.create_task(_write_uses(node.last_used, database))
    try:
        yield node
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await node.last_used.write(database)
        await database.close()


async def _write_uses(last_used: LastUsed, database: Database) -> None:
    """Write now and then when tokens were last used; a store that is away for a while is tried again."""
    while True:
        await asyncio.sleep(_WRITE_USES_EVERY_S)
        try:
            await last_used.write(database)
        except StoreFault as fault:
            _LOG.warning("last use not written", fault=type(fault).__name__)


def _routes(node: Node) -> list[BaseRoute]:
    """Return every door; each module makes its own."""
    makers: list[Callable[[Node], list[BaseRoute]]] = []
    return [door for routes_of in makers for door in routes_of(node)]
