"""The page that says what went wrong and what to do."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from keybearer.server.http.edge import request_id
from keybearer.server.http.errors import retry_headers, status_of
from keybearer.server.pages.render import render
from keybearer.server.refusals import Refusal

_HEADINGS: Final = {
    400: "This request cannot be understood",
    401: "Sign in first",
    403: "You may not do this",
    404: "There is nothing here",
    405: "This does not work that way",
    408: "That took too long",
    409: "Something has changed in the meantime",
    413: "That is too large",
    415: "This request cannot be understood",
    422: "Something is wrong with what was sent",
    429: "Too many attempts",
    431: "That is too large",
    500: "Something went wrong here",
    503: "We cannot answer right now",
}
_HEADINGS_OF_CODES: Final = {"not_waiting": "Nothing was decided"}
_ADVICE: Final = {
    403: "Your role in the active team does not allow this. Switch to another team, or ask an admin of this one.",
    404: "It may have been deleted, it may belong to another of your teams, or the address is mistyped.",
}


async def error_page(request: Request, refusal: Refusal, status: int = 0) -> Response:
    """
    Return the page for a refusal, with the request id to quote and nothing of the inside.

    Args:
        status: 0: the refusal's own.
    """
    status = status or status_of(refusal)
    message = _ADVICE.get(status, refusal.public) if refusal.code in {"forbidden", "not_found"} else refusal.public
    answer = render(
        request,
        "error.html",
        None,
        status,
        heading=_HEADINGS_OF_CODES.get(refusal.code) or _HEADINGS.get(status, "This did not work"),
        message=message,
        others=[other.public for other in refusal.others],
        request_id=request_id(request),
        offers_switch=refusal.code in {"forbidden", "not_found", "conflict"},
    )
    answer.headers.update(retry_headers(refusal))
    return answer
