"""What is told of a request, cut to what an entry of the activity log can have: a caller chooses these texts."""

import re
from typing import Final, NamedTuple

LONGEST: Final = 513  # characters of a text that are looked at: one more than an entry can have of any of these
_LONGEST_TEXT: Final = 256
_LONGEST_REQUEST_ID: Final = 128
_is_method: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}").fullmatch
_is_route: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,512}").fullmatch


class Asked(NamedTuple):
    """
    A request, as far as it is recorded.

    Args:
        route: the template of its path, where it is known already; never the path.
        address: whom it came from.
        agent: what it says it was made with.
    """

    method: str | None = None
    route: str | None = None
    request_id: str | None = None
    address: str | None = None
    agent: str | None = None


def recordable(asked: Asked) -> Asked:
    """Return what can be recorded of a request: what no entry can have is left out, or cut short."""
    method, route, request_id, address, agent = asked
    return Asked(
        method if method and _is_method(method) else None,
        route_of(route),
        request_id_of(request_id),
        _cut(address),
        _cut(agent),
    )


def request_id_of(request_id: str | None) -> str | None:
    """Return a request's id as an entry can have it; None if there is none, or it cannot."""
    if not request_id or len(request_id) > _LONGEST_REQUEST_ID or not request_id.isascii():
        return None
    return request_id[:] if request_id.isprintable() else None


def route_of(route: str | None) -> str | None:
    """Return a route as an entry can have it; None if there is none, or it cannot."""
    return route if route and _is_route(route) else None


def _cut(text: str | None) -> str | None:
    if not text or (len(text) <= _LONGEST_TEXT and text.isascii()):
        return text or None
    return text[:_LONGEST_TEXT].encode(errors="replace").decode()
