"""``/logout``: signing out, by a POST, so that no link or picture elsewhere can do it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.end_session import end_session
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import read_form
from keybearer.server.node import Node
from keybearer.server.pages.cookies import SESSION, clear_cookie
from keybearer.server.pages.doors import page
from keybearer.server.pages.render import redirect, render
from keybearer.server.pages.session import maybe_visitor


def routes(_: Node) -> list[BaseRoute]:
    """Return the door of signing out."""
    return [page("/logout", get=_show, post=_take)]


async def _show(request: Request) -> Response:
    visitor = await maybe_visitor(request)
    return render(request, "sign_out.html", visitor) if visitor else redirect(request, "/login")


async def _take(request: Request) -> Response:
    (await read_form(request)).demand_only()
    visitor = await maybe_visitor(request)
    node: Node = request.app.state.node
    if visitor is not None:
        user_id, session_id = visitor.user.user_id, visitor.session.session_id
        await node.act(end_session, actor_of(request, user_id=user_id), session_id, user_id, node.now())
    answer = redirect(request, "/login", "You are signed out.")
    clear_cookie(node, answer, SESSION)
    return answer
