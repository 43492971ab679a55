"""What an endpoint of the API is: its method and path, what it demands of the token, and its answer."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server import refusals
from keybearer.server.events import Actor
from keybearer.server.http.bare_doors import BareDoor
from keybearer.server.http.bearer import caller_of
from keybearer.server.http.call_record import recorded
from keybearer.server.http.demand import demand_permission, promise_too_narrow
from keybearer.server.http.edge import actor_of
from keybearer.server.http.limits import count_call
from keybearer.server.node import Node
from keybearer.wire.principal import Principal

BASE: Final = "/api/v2"


class Demand(Enum):
    """What is demanded where no single permission is."""

    AUTHENTICATED = "any token that is accepted"
    UNNARROWED = "a token that follows its user's role"


@dataclass(frozen=True, slots=True)
class Call:
    """One call that passed its endpoint's demand."""

    node: Node
    request: Request
    principal: Principal

    @property
    def actor(self) -> Actor:
        """Who the activity log names: the user, by means of this token."""
        principal = self.principal
        return actor_of(
            self.request,
            user_id=principal.user_id,
            client_id=principal.client_id,
            token=(principal.token_id, principal.token_last4),
        )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    One method on one path.

    Args:
        path: below ``/api/v2``, with Starlette's ``{names}``.
        demand: a permission's name, or a `Demand`; there is no default, so none is forgotten.
    """

    method: str
    path: str
    demand: str | Demand
    answer: Callable[[Call], Awaitable[Response]]


def routes_of(node: Node, endpoints: Iterable[Endpoint]) -> list[BaseRoute]:
    """Return one route for each path; a method that the path does not have is answered 405 with ``Allow``."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [_route(node, path, methods) for path, methods in by_path.items()]


def _route(node: Node, path: str, methods: dict[str, Endpoint]) -> Route:
    """
    Return the route of a path; HEAD is what GET is, without the body (RFC 9110 §9.3.2).

    A path without parameters is found without the router, whose way takes as long as many an answer.
    """

    async def serve(request: Request) -> Response:
        return await recorded(request, lambda: answer(request))

    async def answer(request: Request) -> Response:
        endpoint = methods["GET" if request.method == "HEAD" else request.method]
        principal = await caller_of(node, request)
        await count_call(node, request, principal)
        _check(node, request, principal, endpoint.demand)
        return await endpoint.answer(Call(node, request, principal))

    return (Route if "{" in path else BareDoor)(BASE + path, serve, methods=list(methods))


def _check(node: Node, request: Request, principal: Principal, demand: str | Demand) -> None:
    """
    Refuse a token that may not do what the endpoint demands.

    Raises:
        Refusal: ``forbidden``; where only the narrowing stands in the way, the answer says so.
    """
    if demand is Demand.AUTHENTICATED:
        return
    if not isinstance(demand, Demand):
        demand_permission(node, request, principal, demand)
    elif principal.is_narrowed:
        promise_too_narrow(request)
        raise refusals.forbidden(f"demands {demand}")
