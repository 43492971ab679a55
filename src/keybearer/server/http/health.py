"""The endpoints for whoever runs the server: is it alive, and can it serve?"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server.http.answers import json_answer
from keybearer.server.node import Node
from keybearer.server.reads.readiness import clock_apart, empty_barrier, frozen_logs, why_not_ready


def routes(node: Node) -> list[BaseRoute]:
    """
    Return ``/healthz`` and ``/readyz``; a draining server has closed its socket, so it answers neither.

    A node whose activity log is ailing, whose clock is wrong, or whose barrier proves nothing serves all the same, and
    ``/readyz`` says so.
    """

    async def healthz(_: Request) -> Response:
        return json_answer({"status": "alive"})

    async def readyz(_: Request) -> Response:
        missing = await why_not_ready(node.database)
        if missing:
            return json_answer({"status": "unavailable", "reason": missing}, 503)
        ailing = [*await frozen_logs(node.database), *([node.sealer.trouble] if node.sealer.trouble else [])]
        unproven = await empty_barrier(node.database) if node.feed.barrier else ""
        found = {"activity": ailing, "barrier": unproven, "clock": await clock_apart(node.database, node.now)}
        return json_answer({"status": "ready"} | {name: what for name, what in found.items() if what})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
