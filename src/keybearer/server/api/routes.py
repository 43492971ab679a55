"""Every endpoint of the API, joined."""

from typing import Final

from starlette.routing import BaseRoute

from keybearer.server.api import activity, me, members, status, team, token
from keybearer.server.api.endpoints import Endpoint, routes_of
from keybearer.server.api.openapi import openapi_routes
from keybearer.server.api.unserved import Unserved
from keybearer.server.node import Node

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *status.ENDPOINTS,
    *me.ENDPOINTS,
    *team.ENDPOINTS,
    *members.ENDPOINTS,
    *activity.ENDPOINTS,
    *token.ENDPOINTS,
)


def routes(node: Node) -> list[BaseRoute]:
    """Return the API's doors."""
    doors = [*routes_of(node, ENDPOINTS), *openapi_routes(node)]
    return [*doors, Unserved(node, doors)]
