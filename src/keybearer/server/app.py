"""Builds the server: the one place where all parts meet."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from keybearer.server import clock, failures
from keybearer.server.accounts.passwords import Passwords
from keybearer.server.actions.adopt_policy import adopt_policy
from keybearer.server.activities import SERVER_ITSELF
from keybearer.server.activity.call_records import CallRecords
from keybearer.server.api import routes as api
from keybearer.server.bearers import Bearers
from keybearer.server.clock import Clock
from keybearer.server.feed.barrier import Barrier
from keybearer.server.feed.freshness import Freshness
from keybearer.server.feed.reader import FeedReader
from keybearer.server.http import activity_proofs, activity_report, forward_auth, health, oauth, verifier
from keybearer.server.http.addresses import TrustedProxies
from keybearer.server.http.bare_doors import BareDoor, BareDoors, bare_doors
from keybearer.server.http.edge import Edge, Terms
from keybearer.server.http.hits import HITS, Hits
from keybearer.server.http.known_paths import KnownPaths
from keybearer.server.key_files import kept_key
from keybearer.server.last_used import LastUsed
from keybearer.server.limits.own_calls import OwnCalls
from keybearer.server.limits.places import Places
from keybearer.server.limits.rate_limits import RateLimits
from keybearer.server.mail.letters import Letters
from keybearer.server.mail.mailer import Mailer
from keybearer.server.metrics.requests import Requests
from keybearer.server.node import Node
from keybearer.server.notices.letters import NoticeLetters
from keybearer.server.notices.sender import NoticeSender
from keybearer.server.pages import routes as pages
from keybearer.server.reads.readiness import empty_barrier
from keybearer.server.rules.policy import policy_digest
from keybearer.server.sealing.key import own_signer
from keybearer.server.sealing.sealer import Sealer
from keybearer.server.settings import Settings
from keybearer.server.store.database import Database, open_database
from keybearer.server.store.faults import StoreFault
from keybearer.server.store.resource_servers import note_seen
from keybearer.server.upkeep import upkeep
from keybearer.server.verifiers.certainty import Certainty
from keybearer.server.verifiers.keys import VerifierKeys
from keybearer.server.verifiers.known import Verifiers
from keybearer.server.verifiers.neighbours import Neighbours
from keybearer.server.wall_clock import WallClock, wall_clock
from keybearer.server.webhooks.egress import Egress, Network
from keybearer.server.webhooks.sender import Outgoing, WebhookSender

Seconds = Callable[[], float]
_CURSORS: Final = "keybearer: cursors of the activity log"

_LOG = structlog.get_logger("keybearer.app")


def build_app(
    settings: Settings,
    *,
    now: Clock = clock.now,
    boottime: Seconds = clock.boottime,
    elapsed: Seconds = clock.boottime,
    network: Network | None = None,
) -> Starlette:
    """
    Return the whole server as one ASGI application.

    The database is opened when the application starts, and the doors are made then.

    Args:
        now: microseconds since 1970 UTC.
        boottime, elapsed: seconds that go on while the machine sleeps; rate limits go by the latter.
        network: the world outside; the real one if none is given.
    """
    requests = Requests()
    bare: dict[tuple[str, str], BareDoor] = {}
    handlers = failures.handlers(settings)
    terms = Terms(settings.issuer, TrustedProxies(settings.trusted_proxies), settings.request_timeout)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Hits]]:
        async with _told(_open_node(settings, now, boottime, elapsed, network or Network())) as node:
            app.state.node = node
            app.router.routes[:] = _routes(node)
            bare.update(bare_doors(app.router.routes))
            yield {HITS: Hits(app.router.routes, terms, now, Freshness(node.feed), requests)}

    edge = Middleware(Edge, terms=terms, now=now, requests=requests, tell=failures.teller(settings))
    middleware = [edge, Middleware(BareDoors, doors=bare, handlers=handlers)]
    app = Starlette(lifespan=lifespan, middleware=middleware, exception_handlers=dict(handlers))
    app.state.requests = requests
    app.router.redirect_slashes = False  # the redirect would be built out of the Host header
    return app


@asynccontextmanager
async def _told(opening: AbstractAsyncContextManager[Node]) -> AsyncIterator[Node]:
    """Open a node; what keeps it from opening is logged in one line, before the trace that whatever runs it logs."""
    async with AsyncExitStack() as held:
        try:
            node = await held.enter_async_context(opening)
        except (OSError, ValueError, StoreFault) as error:
            _LOG.error("cannot start", why=str(error))
            raise
        yield node


@asynccontextmanager
async def _open_node(
    settings: Settings, now: Clock, boottime: Seconds, elapsed: Seconds, network: Network
) -> AsyncIterator[Node]:
    """Open what a node works with, and close it in the reverse order."""
    async with AsyncExitStack() as held:
        database = await open_database(settings.store_url)
        held.push_async_callback(database.close)
        feed = FeedReader(database, boottime, settings.lease_s, _barrier(settings, database, boottime))
        verifiers, last_seen = Verifiers(boottime), LastUsed(note_seen)
        look_ups, outgoing = Places.for_look_ups(), _outgoing(settings, network)
        neighbours = Neighbours(database, feed, verifiers, boottime, settings.bound)
        sealer = Sealer(database, own_signer(settings), settings.data_dir, now, settings.activity_retention)
        held.callback(sealer.close)
        node = Node(
            settings=settings,
            database=database,
            now=now,
            passwords=Passwords(),
            mailer=outgoing.mailer,
            own_calls=OwnCalls(RateLimits(database, elapsed, settings.rate), elapsed),
            last_used=LastUsed(),
            last_seen=last_seen,
            feed=feed,
            look_ups=look_ups,
            bearers=Bearers(database, feed, look_ups, settings.token_prefix, settings.role_permissions),
            verifier_keys=VerifierKeys(database, feed, look_ups, last_seen),
            verifiers=verifiers,
            neighbours=neighbours,
            certainty=Certainty(feed, verifiers, neighbours, boottime, settings.bound),
            call_records=CallRecords(sealer, settings.data_dir / "calls", now),
            role_permissions=settings.role_permissions,
            policy=policy_digest(settings.role_permissions),
            webhook_sender=WebhookSender(database, outgoing, now),
            webhook_key=outgoing.key,
            notice_sender=_notice_sender(settings, database, outgoing.mailer, now),
            cursor_key=sealer.signer.derived_key(_CURSORS),
            sealer=sealer,
        )
        await held.enter_async_context(_at_work(node, await wall_clock(database, now, boottime)))
        yield node


@asynccontextmanager
async def _at_work(node: Node, watched: WallClock) -> AsyncIterator[None]:
    """Put the node's policy in force, and run its background work while the block lasts."""
    if node.feed.barrier and (unproven := await empty_barrier(node.database)):
        _LOG.warning("the barrier is empty", why=unproven)
    await node.act(adopt_policy, SERVER_ITSELF, node.policy, node.now())
    keeping = upkeep(node.database, (node.last_used, node.last_seen), node.sealer, node.mailer, watched)
    telling = node.notice_sender.at_work()
    counting, sending = node.own_calls.counting(), node.webhook_sender.at_work()
    recording = node.call_records.keeping()
    async with node.feed.following(), node.neighbours.sharing(), keeping, counting, sending, telling, recording:
        yield


def _barrier(settings: Settings, database: Database, boottime: Callable[[], float]) -> Barrier | None:
    return Barrier(database, boottime, settings.lease_s) if settings.barrier == "on" else None


def _outgoing(settings: Settings, network: Network) -> Outgoing:
    return Outgoing(
        egress=Egress(network, allows_private=settings.webhook_private_addresses),
        mailer=Mailer(settings.smtp_url.get_secret_value(), settings.data_dir / "mail", settings.mail_from),
        letters=Letters(settings),
        key=settings.webhook_key.get_secret_value() or kept_key(settings.data_dir / "webhook-key"),
    )


def _notice_sender(settings: Settings, database: Database, mailer: Mailer, now: Clock) -> NoticeSender:
    return NoticeSender(database, mailer, NoticeLetters(settings) if settings.notices == "on" else None, now)


def _routes(node: Node) -> list[BaseRoute]:
    """Return every door; each module makes its own."""
    makers: list[Callable[[Node], list[BaseRoute]]] = [
        forward_auth.routes,
        verifier.routes,
        activity_report.routes,
        activity_proofs.routes,
        pages.routes,
        oauth.routes,
        api.routes,
        health.routes,
    ]
    doors = [door for routes_of in makers for door in routes_of(node)]
    return [KnownPaths(doors), *doors]
