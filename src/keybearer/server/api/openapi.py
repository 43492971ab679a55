"""The API's OpenAPI description, served as JSON."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server.api.endpoints import BASE
from keybearer.server.http.answers import json_bytes
from keybearer.server.http.description import description
from keybearer.server.node import Node


def openapi_routes(node: Node) -> list[BaseRoute]:
    """Return the doors to the description; it is the same for everybody and needs no token."""
    body = json_bytes(description(node.settings.issuer))

    async def show_description(_: Request) -> Response:
        return Response(body, headers={"cache-control": "public, max-age=300"}, media_type="application/json")

    return [Route(path, show_description, methods=["GET"]) for path in (f"{BASE}/openapi.json", "/openapi.json")]
