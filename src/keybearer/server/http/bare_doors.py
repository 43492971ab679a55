"""Endpoints that are called often: found by one look-up of method and path, without Starlette's router."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request, Any], Awaitable[Response]]


class BareDoor(Route):
    """A route that `BareDoors` finds too; its endpoint takes a request and returns the response."""


class BareDoors:
    """
    ASGI middleware inside the edge, in front of everything that Starlette puts around a route.

    A request whose method and path are those of a bare door is answered by it; what it raises is answered by the same
    exception handlers as in Starlette. All other requests go on to Starlette's routes. So a bare door has all that a
    route has: the edge, its log line, the answers to wrong methods.

    Args:
        doors: those of `bare_doors`; they may come later.
        handlers: Starlette's exception handlers, by the exception's class.
    """

    def __init__(
        self, app: ASGIApp, doors: Mapping[tuple[str, str], BareDoor], handlers: Mapping[Any, Handler]
    ) -> None:
        self._app = app
        self._doors = doors
        self._handlers = handlers
        self._handled = tuple(handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        door = self._doors.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if door is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = door
        request = Request(scope, receive)
        try:
            answer = await door.endpoint(request)
        except self._handled as error:
            answer = await self._handler_of(error)(request, error)
        await answer(scope, receive, send)

    def _handler_of(self, error: Exception) -> Handler:
        return next(self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers)


def bare_doors(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], BareDoor]:
    """Return the bare doors among *routes* by method and path."""
    return {(method, door.path): door for door in routes if isinstance(door, BareDoor) for method in door.methods or ()}
