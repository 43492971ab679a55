"""Finds the route of a path without parameters by one look-up; Starlette tries one pattern after the other."""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send


class KnownPaths(BaseRoute):
    """
    A route that stands before all others, and passes on requests that one of them matches exactly.

    Paths with parameters, and methods that a path does not have, are left to the routes behind it.
    """

    def __init__(self, doors: Iterable[BaseRoute]) -> None:
        self._doors: dict[str, list[Route]] = {}
        for door in doors:
            if isinstance(door, Route) and not door.param_convertors:
                self._doors.setdefault(door.path, []).append(door)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Starlette's `BaseRoute.matches`."""
        for door in self._doors.get(scope["path"], ()):
            match, found = door.matches(scope)
            if match is Match.FULL:
                return match, {**found, "route": door}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to the route that was found."""
        await scope["route"].handle(scope, receive, send)
