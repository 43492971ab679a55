"""What every page's endpoint does: the same-origin check, and sending people to sign in and back."""

from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from keybearer.server import refusals
from keybearer.server.http.forms import query_of
from keybearer.server.http.same_origin import is_same_origin
from keybearer.server.node import Node
from keybearer.server.pages.endings import look_for_ending
from keybearer.server.pages.kept_forms import keep_form
from keybearer.server.pages.session import SignInNeeded

Handler = Callable[[Request], Awaitable[Response]]


def page(path: str, *, get: Handler | None = None, post: Handler | None = None, keeps: tuple[str, ...] = ()) -> Route:
    """
    Return the route of a page.

    Its POST is taken from our own pages only (and from programs, which are no browsers); a handler that meets nobody
    signed in has the browser sent to ``/login`` and back.

    Args:
        keeps: the fields of the form that come back as they were typed after signing in, ``team`` among them where the
            form names one; a secret is never one.
    """
    handlers = {method: handler for method, handler in (("GET", get), ("POST", post)) if handler is not None}

    async def serve(request: Request) -> Response:
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        if request.method == "POST":
            check_same_origin(request)
        _check_path(request)
        if request.method == "GET":
            await look_for_ending(request)
        try:
            return await handler(request)
        except SignInNeeded as needed:
            return await _to_sign_in(request, needed, keeps, can_return="GET" in handlers)

    return Route(path, wraps(next(iter(handlers.values())))(serve), methods=list(handlers))


def _check_path(request: Request) -> None:
    """Find nothing under a name with a NUL in it: no text of ours has one, and PostgreSQL would not even look."""
    if any("\0" in part for part in request.path_params.values()):
        raise refusals.not_found("path: NUL")


def check_same_origin(request: Request) -> None:
    """
    Refuse a POST that another site's page made.

    Raises:
        Refusal: ``cross_site``.
    """
    node: Node = request.app.state.node
    headers = request.headers
    if not is_same_origin(headers.get("sec-fetch-site"), headers.get("origin"), node.settings.issuer):
        public = "This request came from another site, so nothing was changed. Open the page here and try again."
        raise refusals.Refusal("cross_site", public, "another origin")


async def _to_sign_in(request: Request, needed: SignInNeeded, keeps: tuple[str, ...], *, can_return: bool) -> Response:
    """Send the browser to the sign-in page, which says that a form was not carried out, and back to one it can get."""
    target = request.scope["path"] if can_return else "/"
    if can_return and request.method in {"GET", "HEAD"} and (query := query_of(request)):
        target += "?" + query.replace("\\", "%5C")  # browsers leave a backslash as it is; no path of ours has one
    fields = {"next": target} | ({"confirm": "1"} if needed.is_confirmation else {})
    if request.method != "POST":
        return RedirectResponse(f"/login?{urlencode(fields)}", 303)
    answer = RedirectResponse("", 303)
    fields["unsent"] = "kept" if await keep_form(request, answer, keeps) else "lost"
    answer.headers["location"] = f"/login?{urlencode(fields)}"
    return answer
