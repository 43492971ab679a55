"""What Prometheus asks: an application with one door, at an address of its own."""

import asyncio
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from keybearer.server.metrics import measuring
from keybearer.server.metrics.measuring import Measured
from keybearer.server.metrics.requests import Requests
from keybearer.server.metrics.workers import Workers
from keybearer.server.metrics.writing import text_of
from keybearer.server.node import Node

PATH: Final = "/metrics"

_LOG = structlog.get_logger("keybearer.metrics")


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
        """Tell the other workers what this one has measured; a full disk disturbs nothing else."""
        try:
            self._measure()
        except OSError as error:
            _LOG.warning("workers cannot share what they measure", why=error.strerror)

    def _measure(self) -> Measured:
        own = measuring.process(self._node, self._requests)
        if self._workers:
            self._workers.keep(own)
        return own

    async def _answer(self, request: Request) -> Response:
        stored = await measuring.database(self._node)
        try:
            own, accept = self._measure(), request.headers.get("accept", "")
            text, media_type = await asyncio.to_thread(self._text, own, stored, accept)
        except OSError as error:  # what the others kept before may be less than a scrape has told since
            return PlainTextResponse(f"Workers cannot share what they measure: {error.strerror}.\n", 503)
        return Response(text, headers={"content-type": media_type, "cache-control": "no-store"})

    def _text(self, own: Measured, stored: Measured, accept: str) -> tuple[bytes, str]:
        """Write what all workers have measured: with every route that there is, in some tens of milliseconds."""
        whole = self._workers.measured() if self._workers else own
        return text_of(whole | stored, accept)
