"""``/operator/resource-servers``: the APIs that verify tokens, for whoever operates this server; nothing for others."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server import refusals
from keybearer.server.actions.add_resource_server import add_resource_server
from keybearer.server.actions.revoke_resource_server import revoke_resource_server
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import read_form
from keybearer.server.node import Node
from keybearer.server.pages.confirming import is_confirmed
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.render import keep_to_fields, redirect_ended, render, render_form
from keybearer.server.pages.session import Visitor, require_recent, visitor
from keybearer.server.reads.resource_servers import all_resource_servers, one_resource_server
from keybearer.server.refusals import Refusal

_LIST: Final = "/operator/resource-servers"
_FIELDS: Final = ("name", "environment")


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of the list, of adding and of revoking."""
    return [
        page(_LIST, get=_show),
        page(f"{_LIST}/new", get=_new, post=_add, keeps=_FIELDS),
        page(f"{_LIST}/{{resource_server_id}}/revoke", get=_ask, post=_revoke),
    ]


async def _operator(request: Request) -> Visitor:
    """Return who operates this server and has given their password lately; the page does not exist for others."""
    viewer = await visitor(request)
    if not viewer.is_operator:
        raise refusals.not_found("page: not an operator")
    require_recent(request, viewer)
    return viewer


async def _show(request: Request) -> Response:
    viewer = await _operator(request)
    node: Node = request.app.state.node
    return render(request, "resource_servers.html", viewer, rows=await node.view(all_resource_servers))


async def _new(request: Request) -> Response:
    viewer = await _operator(request)
    typed = kept_form(request, viewer)
    name, environment = typed.text("name"), typed.text("environment") or "sandbox"
    return render_form(request, "resource_server_new.html", viewer, None, name=name, environment=environment)


async def _add(request: Request) -> Response:
    viewer = await _operator(request)
    form = await read_form(request)
    node: Node = request.app.state.node
    actor = actor_of(request, user_id=viewer.user.user_id)
    name, environment = form.text("name"), form.text("environment")
    prefix = node.settings.token_prefix
    try:
        form.demand_only(*_FIELDS)
        added = await node.act(add_resource_server, actor, (name, environment), prefix, node.now())
    except Refusal as refusal:
        keep_to_fields(refusal)
        return render_form(request, "resource_server_new.html", viewer, refusal, name=name, environment=environment)
    return render(request, "resource_server_added.html", viewer, added=added)


async def _ask(request: Request) -> Response:
    return await _question(request, await _operator(request))


async def _revoke(request: Request) -> Response:
    viewer = await _operator(request)
    form = await read_form(request)
    if not is_confirmed(form):
        return await _question(request, viewer)
    node: Node = request.app.state.node
    actor = actor_of(request, user_id=viewer.user.user_id)
    revoked = await node.act(revoke_resource_server, actor, request.path_params["resource_server_id"], node.now())
    return await redirect_ended(request, _LIST, f"The key of {revoked.name} is revoked.", "api")


async def _question(request: Request, viewer: Visitor) -> Response:
    """Say what will stop, before anything does."""
    node: Node = request.app.state.node
    row = await node.view(one_resource_server, request.path_params["resource_server_id"])
    bound = node.settings.bound
    return render(request, "resource_server_revoke.html", viewer, row=row, bound=bound, back=_LIST)
