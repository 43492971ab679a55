"""The activity record of a call at one of the server's own doors: begun when it is known whose token it is."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from keybearer.reporting.asked import Asked
from keybearer.reporting.calls import Call
from keybearer.reporting.segment import Unwritable
from keybearer.server.call_records import unrecorded
from keybearer.server.http.edge import address_of, request_id
from keybearer.server.http.errors import status_of
from keybearer.server.node import Node
from keybearer.server.refusals import Refusal
from keybearer.wire.denial import Bearer

_CALL: Final = "keybearer.call"
_FAILED: Final = 500
_REFUSED: Final = (401, 403, 429)


def begin_record(node: Node, request: Request, bearer: Bearer) -> None:
    """
    Begin the record of this request, which is about to be served, or refused, in the name of *bearer*.

    Raises:
        Refusal: ``unavailable``: it cannot be recorded, so it must not be served.
    """
    route = getattr(request.scope.get("route"), "path", None)
    asked = Asked(
        request.method, route, request_id(request), address_of(request) or None, request.headers.get("user-agent")
    )
    request.scope[_CALL] = node.call_records.begin(bearer, asked)


async def recorded(request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
    """
    Return the answer to a request, kept as its outcome.

    Raises:
        Refusal, Exception: whatever *answer* raises; what will be answered then is kept. ``unavailable``: it cannot
            be kept, so it must not be answered.
    """
    try:
        response = await answer()
    except Refusal as refusal:
        _end(request, status_of(refusal), refusal.detail if refusal.code == "unauthenticated" else refusal.code)
        raise
    except BaseException:
        _end(request, None)
        raise
    _end(request, response.status_code)
    return response


def _end(request: Request, status: int | None, reason: str | None = None) -> None:
    call: Call | None = request.scope.get(_CALL)
    if call is None:
        return
    try:
        if status is None or status >= _FAILED:
            call.finish("failed", status)
        elif status in _REFUSED:
            call.finish("refused", status, reason=reason)
        else:
            call.finish("done", status)
    except Unwritable as error:
        raise unrecorded(error) from error
