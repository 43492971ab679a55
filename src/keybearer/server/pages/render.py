"""Renders templates to pages."""

from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from keybearer.server.clock import as_wire
from keybearer.server.http.edge import note_refusal
from keybearer.server.http.errors import retry_headers, status_of
from keybearer.server.node import Node
from keybearer.server.pages import times
from keybearer.server.pages.browser_names import browser_name
from keybearer.server.pages.cookies import ENDING, NOTICE, TYPED, clear_cookie, leave_notice, read_notice
from keybearer.server.pages.endings import Ended, is_ending_kept, leave_ending, seen_ending
from keybearer.server.pages.kept_forms import is_kept_form_shown
from keybearer.server.pages.session import Visitor
from keybearer.server.pages.static import asset
from keybearer.server.pages.texts import texts_in
from keybearer.server.refusals import Refusal
from keybearer.server.roles import ROLE_TITLES, only_reads

_ENVIRONMENT: Final = Environment(
    loader=texts_in("templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals["asset"] = asset
_ENVIRONMENT.filters |= {
    "browser": browser_name,
    "day": times.day,
    "moment": times.moment,
    "relative": times.relative,
    "wire_time": as_wire,
    "role_title": lambda role: ROLE_TITLES[role],
}

_ENVIRONMENT.tests |= {"reads_only": only_reads, "soon": times.is_soon, "near": times.is_near}


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
    has_kept_form = is_kept_form_shown(request) and status == 200  # the page of an error shows none
    text = _ENVIRONMENT.get_template(template).render(
        product=node.settings.product_name,
        path=request.scope["path"],
        now=node.now(),
        visitor=visitor,
        notice=notice,
        ending=ending,
        has_kept_form=has_kept_form,
        **context,
    )
    answer = HTMLResponse(text, status)
    if has_kept_form:
        clear_cookie(node, answer, TYPED)
    if notice and (ending is None or ending.is_over):
        clear_cookie(node, answer, NOTICE)
        if ending:
            clear_cookie(node, answer, ENDING)
    return answer


def render_form(
    request: Request, template: str, visitor: Visitor | None, refusal: Refusal | None, /, **context: Any
) -> HTMLResponse:
    """
    Return a page with a form: what is wrong is said beside its fields, and noted in the request's log line.

    Args:
        refusal: of what was typed; None if nothing was, or nothing is wrong.
        context: as for `render`; the template also finds ``errors``.
    """
    if refusal is None:
        return render(request, template, visitor, errors={}, **context)
    note_refusal(request, refusal)
    answer = render(request, template, visitor, status_of(refusal), errors=_errors_of(refusal), **context)
    answer.headers.update(retry_headers(refusal))
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


async def redirect_ended(request: Request, address: str, notice: str, ended: Ended) -> Response:
    """
    Send the browser on after something was ended; the page it comes to tells how far the end has come.

    Args:
        ended: what was ended.
    """
    answer = redirect(request, address)
    await leave_ending(request, answer, notice, ended)
    return answer


def keep_to_fields(refusal: Refusal) -> None:
    """
    Go on to show a refusal beside the fields of its form.

    Raises:
        Refusal: the one given, if it is not about what was typed.
    """
    if refusal.code != "invalid":
        raise refusal


def _errors_of(refusal: Refusal) -> dict[str, str]:
    """Return field name -> sentences, a line each; '' is the form as a whole."""
    by_field: dict[str, list[str]] = {}
    for each in (refusal, *refusal.others):
        by_field.setdefault(each.field, []).append(each.public)
    return {name: "\n".join(sentences) for name, sentences in by_field.items()}
