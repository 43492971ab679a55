"""The pages for integrators: guides, the API reference, and the same as plain text for programs that read."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keybearer.server import refusals
from keybearer.server.http.description import description
from keybearer.server.node import Node
from keybearer.server.pages.api_reference import reference_of
from keybearer.server.pages.doors import page
from keybearer.server.pages.handbook import API_REFERENCE, GROUPS, GUIDES, Guide, listing, text_of
from keybearer.server.pages.markdown import coloured, to_html
from keybearer.server.pages.render import render
from keybearer.server.pages.session import maybe_visitor

_BY_NAME: Final = {guide.name: guide for guide in GUIDES}
_FOR_A_WHILE: Final = {"cache-control": "public, max-age=300"}


def routes(node: Node) -> list[BaseRoute]:
    """Return the doors to the guides; who is signed in sees their team and environment on them."""
    shelf = _Shelf(node)
    return [
        page("/docs", get=_show_index),
        page(API_REFERENCE.address, get=shelf.show_reference),
        Route("/docs/{name}.md", shelf.show_text, methods=["GET"]),
        page("/docs/{name}", get=shelf.show_guide),
        Route("/llms.txt", _show_listing, methods=["GET"]),
    ]


class _Shelf:
    """Keeps what was rendered once: the guides change with the settings only, and these with the process."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._kept: dict[str, Any] = {}

    async def show_guide(self, request: Request) -> Response:
        guide = _named(request)
        html = await self._once(guide.name, lambda: to_html(text_of(guide, self._node.settings)))
        return await _render(request, "docs_guide.html", guide, html=html)

    async def show_text(self, request: Request) -> Response:
        text = text_of(_named(request), self._node.settings)
        return Response(text, headers=_FOR_A_WHILE, media_type="text/markdown")

    async def show_reference(self, request: Request) -> Response:
        issuer = self._node.settings.issuer
        reference = await self._once("reference", lambda: reference_of(description(issuer)))
        return await _render(request, "docs_api.html", API_REFERENCE, reference=reference)

    async def _once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what *make* makes, beside the loop: a long page takes a tenth of a second, the first one more."""
        if name not in self._kept:
            self._kept[name] = await asyncio.to_thread(make)
        return self._kept[name]


async def _show_index(request: Request) -> Response:
    return await _render(request, "docs_index.html", None)


async def _show_listing(request: Request) -> Response:
    node: Node = request.app.state.node
    return Response(listing(node.settings), headers=_FOR_A_WHILE, media_type="text/plain")


def _named(request: Request) -> Guide:
    """Return the guide that the address names."""
    guide = _BY_NAME.get(request.path_params["name"])
    if guide is None or guide is API_REFERENCE:
        raise refusals.not_found("no such guide")
    return guide


async def _render(request: Request, template: str, guide: Guide | None, **context: Any) -> Response:
    """Return a page of the guides, with those before and after it."""
    at = GUIDES.index(guide) if guide else -1
    around = (GUIDES[at - 1] if at > 0 else None, GUIDES[at + 1] if at + 1 < len(GUIDES) else None)
    visitor = await maybe_visitor(request)
    return render(
        request,
        template,
        visitor,
        200,
        guide=guide,
        groups=GROUPS,
        around=around,
        coloured=coloured,
        **context,
    )
