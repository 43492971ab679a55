"""Long lists in pages: which page the query asks for, and how many there are."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from keybearer.server import refusals
from keybearer.server.http.forms import read_query
from keybearer.server.numbers import number_in
from keybearer.server.reads.paging import Paging

PER_PAGE: Final = 50
_LAST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page of how many is shown; they count from 1."""

    page: int
    pages: int
    total: int


def paging_of(request: Request) -> Paging:
    """
    Return the part that the query's ``page`` asks for; the first without one.

    Raises:
        Refusal: ``not_found``: there is no such page in any list.
    """
    wanted = number_in(read_query(request).maybe("page") or "1")
    if wanted is None or not 1 <= wanted <= _LAST:
        raise refusals.not_found("page: no number of a page")
    return Paging(wanted, PER_PAGE)


def turn_of(paging: Paging, total: int) -> Turn:
    """
    Return where in a list of *total* items the part is.

    Raises:
        Refusal: ``not_found``: behind the end.
    """
    pages = max(1, -(-total // paging.limit))
    if paging.page > pages:
        raise refusals.not_found(f"page {paging.page} of {pages}")
    return Turn(paging.page, pages, total)
