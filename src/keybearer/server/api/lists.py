"""Lists in pages: what may be asked for, and the reference's envelope around the answer."""

import re
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from keybearer.server import refusals
from keybearer.server.http.answers import json_answer
from keybearer.server.http.forms import Form, parse_fields
from keybearer.server.reads.paging import Page, Paging
from keybearer.server.refusals import Refusal

DEFAULT_LIMIT: Final = 25
MAX_LIMIT: Final = 100
MAX_PAGE: Final = 1_000_000_000
_NUMBER: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


def paging_of(request: Request) -> Paging:
    """
    Return the page that the query asks for.

    Raises:
        Refusal: ``invalid``: ``page`` or ``limit`` is no whole number, out of range or repeated; both are named.
    """
    query = query_fields(request)
    wrong: list[Refusal] = []
    page = _number(query, "page", 1, MAX_PAGE, wrong)
    limit = _number(query, "limit", DEFAULT_LIMIT, MAX_LIMIT, wrong)
    if wrong:
        raise refusals.all_invalid(wrong)
    return Paging(page, limit)


def list_answer(request: Request, issuer: str, paging: Paging, page: Page[dict[str, object]]) -> Response:
    """
    Return the envelope of one page.

    Args:
        issuer: the server's own base URL: links are never built out of the ``Host`` header.
    """
    total_pages = max(1, -(-page.total // paging.limit))
    links = None
    if total_pages > 1:
        before = min(paging.page - 1, total_pages)
        after = paging.page + 1
        links = {
            "next": _link(request, issuer, after) if after <= total_pages else None,
            "previous": _link(request, issuer, before) if before else None,
        }
    return json_answer(
        {
            "object": "paginated_list",
            "data": page.items,
            "total": page.total,
            "count": len(page.items),
            "limit": paging.limit,
            "current_page": paging.page,
            "total_pages": total_pages,
            "links": links,
        }
    )


def limit_of(query: Form) -> int:
    """
    Return how many items the query asks for at most.

    Raises:
        Refusal: ``invalid``.
    """
    wrong: list[Refusal] = []
    limit = _number(query, "limit", DEFAULT_LIMIT, MAX_LIMIT, wrong)
    if wrong:
        raise refusals.all_invalid(wrong)
    return limit


def query_fields(request: Request) -> Form:
    """
    Return the parameters of the query.

    Raises:
        Refusal: ``invalid``: it is malformed.
    """
    try:
        return parse_fields(request.scope["query_string"].decode("latin-1"))
    except Refusal as refusal:
        raise refusals.invalid("", "The query is malformed. Percent-encode it as UTF-8.", refusal.detail) from refusal


def _number(query: Form, name: str, default: int, highest: int, wrong: list[Refusal]) -> int:
    """Return the whole number in the query; one that is not from 1 to *highest* is added to *wrong*."""
    values = query.all(name)
    if not values:
        return default
    if len(values) == 1 and _NUMBER.fullmatch(values[0]) and 1 <= int(values[0]) <= highest:
        return int(values[0])
    wrong.append(refusals.invalid(name, f"The {name} must be one whole number from 1 to {highest}."))
    return default


def _link(request: Request, issuer: str, page: int) -> str:
    """Return the address of another page, the request's other parameters kept."""
    kept = [pair for pair in query_fields(request).pairs if pair[0] != "page"]
    path: str = request.scope["path"]
    return f"{issuer}{path}?{urlencode([*kept, ('page', str(page))])}"
