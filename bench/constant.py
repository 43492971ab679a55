"""The same server with nothing to do: Starlette, Edge and uvicorn as they are, and one answer for everybody."""

import sys
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keybearer.cli.logs import log_to_stderr
from keybearer.cli.running import Server, listen, uvicorn_config
from keybearer.server import clock
from keybearer.server.http.answers import json_answer
from keybearer.server.http.edge import Edge, Terms
from keybearer.server.metrics.requests import Requests

# As long as what /api/v2/me answers.
_BODY: Final = {"id": 1, "name": "Ada", "email": "ada@example.com", "created_at": "2026-11-24T12:00:00Z"}


async def _answer(_: Request) -> Response:
    return json_answer(_BODY)


def build_constant() -> Starlette:
    """Return the application with its one door."""
    edge = Middleware(Edge, terms=Terms("http://127.0.0.1"), now=clock.now, requests=Requests())
    return Starlette(routes=[Route("/constant", _answer)], middleware=[edge])


if __name__ == "__main__":
    log_to_stderr()
    Server(uvicorn_config(build_constant, 1)).run([listen("127.0.0.1", int(sys.argv[1]))])
