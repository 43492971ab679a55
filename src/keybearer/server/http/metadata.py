"""The metadata documents by which OAuth clients discover this server (RFC 8414, RFC 9728)."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server.http.answers import json_answer
from keybearer.server.node import Node
from keybearer.server.settings import Settings

_API: Final = "/api/v2"
# Public facts, the same for everybody: any page may read them.
_HEADERS: Final = {"cache-control": "public, max-age=3600", "access-control-allow-origin": "*"}


def routes(node: Node) -> list[BaseRoute]:
    """
    Return the metadata's doors.

    The well-known part stands between an identifier's host and its path, so each document has one place; the issuer
    has no path.

    Source: RFC 8414 §3, RFC 9728 §3.
    """
    settings = node.settings
    resource = "/.well-known/oauth-protected-resource"
    documents = {
        "/.well-known/oauth-authorization-server": server_metadata(settings),
        resource: resource_metadata(settings, ""),
        resource + _API: resource_metadata(settings, _API),
    }
    return [Route(place, _door(document), methods=["GET"]) for place, document in documents.items()]


def _door(document: dict[str, object]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:  # noqa: ARG001 - whatever the request says, the issuer is fixed
        return json_answer(document, 200, _HEADERS)

    return answer


def server_metadata(settings: Settings) -> dict[str, object]:
    """Return what there is of OAuth here, and nothing else (RFC 8414 §2, RFC 9207 §3)."""
    issuer = settings.issuer
    methods = ["client_secret_basic", "client_secret_post", "none"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "scopes_supported": sorted(settings.permissions),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": [*methods[:2], "Bearer"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": f"{issuer}/docs",
    }


def resource_metadata(settings: Settings, path: str) -> dict[str, object]:
    """Return what a client needs to know of the API at *path* (RFC 9728 §2)."""
    return {
        "resource": settings.issuer + path,
        "authorization_servers": [settings.issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": sorted(settings.permissions),
        "resource_documentation": f"{settings.issuer}/docs",
    }
