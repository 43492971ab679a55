"""What an endpoint of the API is: its method and path, what it demands of the token, and its answer."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server import refusals
from keybearer.server.activities import Actor
from keybearer.server.http.answers import json_answer, json_bytes
from keybearer.server.http.bare_doors import BareDoor
from keybearer.server.http.bearer import caller_of, noted_of
from keybearer.server.http.call_record import recorded
from keybearer.server.http.demand import demand_permission, promise_too_narrow
from keybearer.server.http.edge import actor_of
from keybearer.server.http.hits import Hit, HitDoor, Plain
from keybearer.server.http.known_calls import known_caller, let_through
from keybearer.server.http.limits import count_call
from keybearer.server.node import Node
from keybearer.wire.principal import Principal

BASE: Final = "/api/v2"
_JSON: Final = {"content-type": "application/json"}


Tell = Callable[[Node, Principal], Coroutine[Any, Any, object]]
"""Tells what belongs to a token out of the node and its database, and changes nothing."""


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


@dataclass(frozen=True, slots=True)
class Telling(Endpoint):
    """
    A GET whose answer depends on nothing of the request but its token: so it can be a hit.

    Args:
        tell: gives the answer's body.
    """

    tell: Tell


def telling(path: str, demand: str | Demand, tell: Tell) -> Telling:
    """Return the endpoint that answers what *tell* tells, in JSON."""

    async def answer(call: Call) -> Response:
        return json_answer(await tell(call.node, call.principal))

    return Telling("GET", path, demand, answer, tell)


def routes_of(node: Node, endpoints: Iterable[Endpoint]) -> list[BaseRoute]:
    """Return one route for each path; a method that the path does not have is answered 405 with ``Allow``."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [_route(node, path, methods) for path, methods in by_path.items()]


def _route(node: Node, path: str, methods: dict[str, Endpoint]) -> Route:
    """
    Return the route of a path; HEAD is what GET is, without the body (RFC 9110 §9.3.2).

    A path without parameters is found without the router, whose way takes as long as many an answer. Where the token
    is all that counts, and what belongs to it is read without waiting, a request may be a hit.
    """

    async def serve(request: Request) -> Response:
        return await recorded(request, lambda: answer(request))

    async def answer(request: Request) -> Response:
        endpoint = methods["GET" if request.method == "HEAD" else request.method]
        principal = await caller_of(node, request)
        await count_call(node, request, principal)
        _check(node, request, principal, endpoint.demand)
        return await endpoint.answer(Call(node, request, principal))

    get = methods.get("GET")
    if isinstance(get, Telling) and node.database.answers_at_once:
        return HitDoor(BASE + path, serve, partial(_look, node, get), methods=("GET", *methods), headers=_JSON)
    return (Route if "{" in path else BareDoor)(BASE + path, serve, methods=list(methods))


def _look(node: Node, endpoint: Telling, plain: Plain) -> Hit | None:
    """Answer a call of which there is one in hand, with a known token that may do what is demanded."""
    principal = known_caller(node, plain)
    if principal is None or not _may(principal, endpoint.demand):
        return None
    body = json_bytes(node.read_at_once(endpoint.tell(node, principal)))
    left = let_through(node, plain, principal, ("GET", BASE + endpoint.path), None)
    return None if left is None else Hit(left, body, noted_of(principal.bearer))


def _check(node: Node, request: Request, principal: Principal, demand: str | Demand) -> None:
    """
    Refuse a token that may not do what the endpoint demands.

    Raises:
        Refusal: ``forbidden``; where only the narrowing stands in the way, the answer says so.
    """
    if not isinstance(demand, Demand):
        demand_permission(node, request, principal, demand)
    elif not _may(principal, demand):
        promise_too_narrow(request)
        raise refusals.forbidden(f"demands {demand}")


def _may(principal: Principal, demand: str | Demand) -> bool:
    if isinstance(demand, Demand):
        return demand is Demand.AUTHENTICATED or not principal.is_narrowed
    return principal.can(demand)
