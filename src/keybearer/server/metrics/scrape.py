"""What Prometheus asks: an application of one door, that stands on an address of its own."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keybearer.server.metrics import measuring
from keybearer.server.metrics.requests import Requests
from keybearer.server.metrics.workers import Workers
from keybearer.server.metrics.writing import text_of
from keybearer.server.node import Node

PATH = "/metrics"


class Scrape:
    """
    Measures this server when it is asked.

    Args:
        workers: those of this server; None: this process is all of it.
    """

    def __init__(self, node: Node, requests: Requests, workers: Workers | None) -> None:
        self._node = node
        self._requests = requests
        self._workers = workers

    @property
    def application(self) -> Starlette:
        """Return what answers ``GET /metrics``, and nothing else."""
        app = Starlette(routes=[Route(PATH, self._answer, methods=["GET"])])
        app.router.redirect_slashes = False  # the redirect would be built out of the Host header
        return app

    async def keep(self) -> None:
        """Let the other workers know what this one has measured."""
        if self._workers:
            self._workers.keep(measuring.process(self._node, self._requests))

    async def _answer(self, request: Request) -> Response:
        measured = await self._measured()
        text, media_type = text_of(measured, request.headers.get("accept", ""))
        return Response(text, headers={"content-type": media_type, "cache-control": "no-store"})

    async def _measured(self) -> measuring.Measured:
        stored = await measuring.database(self._node)
        if self._workers is None:
            return measuring.process(self._node, self._requests) | stored
        await self.keep()
        return self._workers.measured() | stored
