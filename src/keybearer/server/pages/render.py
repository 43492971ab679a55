"""Renders templates to pages."""

from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from keybearer.server.clock import as_wire
from keybearer.server.http.edge import note_actor
from keybearer.server.node import Node
from keybearer.server.pages import times
from keybearer.server.pages.cookies import ENDING, NOTICE, clear_cookie, leave_notice, read_notice
from keybearer.server.pages.endings import is_ending_kept, leave_ending, seen_ending
from keybearer.server.pages.session import Visitor
from keybearer.server.pages.static import asset
from keybearer.server.refusals import Refusal
from keybearer.server.roles import ROLE_TITLES, only_reads

_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("keybearer.server.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals["asset"] = asset
_ENVIRONMENT.filters |= {
    "day": times.day,
    "moment": times.moment,
    "relative": times.relative,
    "wire_time": as_wire,
    "role_title": lambda role: ROLE_TITLES[role],
}

_ENVIRONMENT.tests |= {"reads_only": only_reads, "soon": times.is_soon}


def render(
    request: Request, template: str, visitor: Visitor | None, status: int = 200, /, **context: Any
) -> HTMLResponse:
    """
    Return a page; a notice that the page before has left is shown on it, once.

    A notice that something was ended is shown until that is certain, on every page that can tell how far it has come.

    Args:
        template: its name in ``templates/``.
        visitor: who looks at it; None for pages that need no sign-in.
        context: what the template speaks of, as frozen records.
    """
    node: Node = request.app.state.node
    ending = seen_ending(request)
    notice = read_notice(node, request) if ending or not is_ending_kept(node, request) else ""
    text = _ENVIRONMENT.get_template(template).render(
        product=node.settings.product_name,
        path=request.scope["path"],
        now=node.now(),
        visitor=visitor,
        notice=notice,
        ending=ending,
        **context,
    )
    answer = HTMLResponse(text, status)
    if notice and (ending is None or ending.is_over):
        clear_cookie(node, answer, NOTICE)
        if ending:
            clear_cookie(node, answer, ENDING)
    return answer


def redirect(request: Request, address: str, notice: str = "") -> Response:
    """Send the browser on by GET (303), with a sentence for the page it comes to."""
    answer = RedirectResponse(address, 303)
    node: Node = request.app.state.node
    if notice:
        leave_notice(node, answer, notice)
        if is_ending_kept(node, request):  # it belongs to another notice
            clear_cookie(node, answer, ENDING)
    return answer


async def redirect_ended(request: Request, address: str, notice: str, said: str) -> Response:
    """
    Send the browser on after something was ended; the page it comes to tells how far the end has come.

    Args:
        said: what is true at the end, one of the sentences of ``endings``.
    """
    answer = redirect(request, address)
    await leave_ending(request, answer, notice, said)
    return answer


def keep_to_fields(request: Request, refusal: Refusal) -> None:
    """
    Let a refusal of what was typed be shown beside its fields, and noted in the request's log line.

    Raises:
        Refusal: the one given, if it is about anything else.
    """
    if refusal.code != "invalid":
        raise refusal
    note_actor(request, refused=refusal.code, detail=refusal.detail)


def errors_of(refusal: Refusal) -> dict[str, str]:
    """Return what a form shows beside its fields: field name -> sentences, a line each; '' is the form as a whole."""
    said: dict[str, list[str]] = {}
    for each in (refusal, *refusal.others):
        said.setdefault(each.field, []).append(each.public)
    return {name: "\n".join(sentences) for name, sentences in said.items()}
