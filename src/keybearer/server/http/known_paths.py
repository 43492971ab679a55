"""Finds the route of a path without parameters by one look-up; Starlette tries one pattern after the other."""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send


class KnownPaths(BaseRoute):
    """
    Stands before the doors themselves, and hands over what one of them takes whole.

    Every other path, and a method that a path does not have, is left to them.
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
        """Let the door that was found answer."""
        await scope["route"].handle(scope, receive, send)
