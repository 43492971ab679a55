"""The activity record of a call at one of the server's own endpoints; it begins when the token is known."""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from keybearer.reporting.asked import Asked
from keybearer.reporting.calls import Call
from keybearer.reporting.segment import Unwritable
from keybearer.server.activity.call_records import unrecorded
from keybearer.server.http.edge import address_of, request_id
from keybearer.server.http.errors import status_of
from keybearer.server.node import Node
from keybearer.server.refusals import Refusal
from keybearer.wire.activity import words_text
from keybearer.wire.denial import Bearer

_CALL: Final = "keybearer.call"
_BEHIND: Final = "keybearer.behind"
_SAFE_METHODS: Final = ("GET", "HEAD")  # at our doors these change nothing


class Behind(NamedTuple):
    """
    The call of an API that a gateway asks about.

    Args:
        method: as the gateway tells it.
        api: the name of the resource server.
    """

    method: str
    api: str

    @property
    def words(self) -> dict[str, str | int]:
        """What its record says beside the door that the gateway asked at."""
        return {"api": self.api}


@lru_cache(1024)  # there are not many APIs
def words_behind(api: str) -> str:
    """Return what `Behind.words` says of a call of this *api*, as the record has it."""
    return words_text({"api": api})


def record_call_behind(request: Request, behind: Behind) -> None:
    """Have this request's record tell of the call *behind* it, which is made elsewhere: here it changes nothing."""
    request.scope[_BEHIND] = behind


def begin_record(node: Node, request: Request, bearer: Bearer) -> None:
    """
    Begin the record of this request, which is about to be served, or refused, in the name of *bearer*.

    Raises:
        Refusal: ``unavailable``: it cannot be recorded, so it must not be served.
    """
    behind: Behind | None = request.scope.get(_BEHIND)
    route = getattr(request.scope.get("route"), "path", None)
    method = behind.method if behind else request.method
    asked = Asked(method, route, request_id(request), address_of(request) or None, request.headers.get("user-agent"))
    call = node.call_records.begin(bearer, asked, may_change=behind is None and method not in _SAFE_METHODS)
    if behind:
        call.tell(behind.words)
    request.scope[_CALL] = call


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
        call.answered(status, reason=reason)
    except Unwritable as error:
        raise unrecorded(error) from error
