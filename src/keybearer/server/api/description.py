"""The API's OpenAPI description, written by hand beside this file and served as JSON."""

from importlib.resources import files
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server.api.endpoints import BASE
from keybearer.server.http.answers import json_bytes
from keybearer.server.node import Node


def description(issuer: str) -> dict[str, Any]:
    """Return the description with this server's own address in it."""
    text = files(__package__).joinpath("openapi.yaml").read_text("utf-8")
    written: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)  # in C: fifteen times as fast
    return written | {"servers": [{"url": issuer, "description": "This server."}]}


def description_routes(node: Node) -> list[BaseRoute]:
    """Return the doors to the description; it is the same for everybody and needs no token."""
    body = json_bytes(description(node.settings.issuer))

    async def show_description(_: Request) -> Response:
        return Response(body, headers={"cache-control": "public, max-age=300"}, media_type="application/json")

    return [Route(path, show_description, methods=["GET"]) for path in (f"{BASE}/openapi.json", "/openapi.json")]
