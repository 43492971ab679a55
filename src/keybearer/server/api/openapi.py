"""The API's OpenAPI description, served as JSON."""

from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server.api.endpoints import BASE
from keybearer.server.http.answers import json_bytes
from keybearer.server.http.description import description
from keybearer.server.node import Node


def openapi_routes(node: Node) -> list[BaseRoute]:
    """Return the doors to the description; it is the same for everybody and needs no token."""
    body = _written(node.settings.issuer)

    async def show_description(_: Request) -> Response:
        return Response(body, headers={"cache-control": "public, max-age=300"}, media_type="application/json")

    return [Route(path, show_description, methods=["GET"]) for path in (f"{BASE}/openapi.json", "/openapi.json")]


@cache
def _written(issuer: str) -> bytes:
    """Return the description as it is served; to write it takes a noticeable part of a start."""
    return json_bytes(description(issuer))
