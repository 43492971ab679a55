"""What is not there below /api/v2: refused as it is elsewhere, and counted where a token says whose call it is."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from keybearer.server.api.endpoints import BASE
from keybearer.server.http.bearer import admitted, bearer_text
from keybearer.server.http.call_record import recorded
from keybearer.server.http.edge import address_of, promise_headers
from keybearer.server.http.limits import count_call
from keybearer.server.node import Node
from keybearer.server.refusals import Refusal, not_found
from keybearer.wire.principal import Principal


class Unserved(BaseRoute):
    """
    The route behind all of the API's: it takes each request that they do not.

    Nobody needs a token to be told that there is nothing; a call with a good one is one call more, as all are.
    """

    def __init__(self, node: Node, doors: Sequence[BaseRoute]) -> None:
        self._node = node
        self._doors = [door for door in doors if isinstance(door, Route)]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Starlette's `BaseRoute.matches`; the route is the one that has the path, if any has."""
        if scope["type"] != "http" or not f"{scope['path']}/".startswith(f"{BASE}/"):
            return Match.NONE, {}
        of_path = (door for door in self._doors if door.matches(scope)[0] is Match.PARTIAL)
        return Match.FULL, {"route": next(of_path, None)}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Refuse a request.

        Raises:
            Refusal: ``not_found`` or ``method_not_allowed``; ``too_many``: the caller has used up the rate limit.
        """
        request = Request(scope, receive, send)
        await recorded(request, lambda: self._refuse(request))

    async def _refuse(self, request: Request) -> Response:
        door: Route | None = request.scope["route"]
        if door is not None:  # RFC 9110 §15.5.6
            promise_headers(request, {"allow": ", ".join(sorted(door.methods or ()))})
        await self._count(request)
        if door is None:
            raise not_found("no such route")
        raise Refusal("method_not_allowed", "This method is not allowed here.", "method not allowed")

    async def _count(self, request: Request) -> None:
        text = bearer_text(request)
        if text is None:
            return
        found = await self._node.bearers.bearer(text, self._node.now(), address_of(request))
        if isinstance(found, Principal):
            await count_call(self._node, request, admitted(self._node, request, found))
