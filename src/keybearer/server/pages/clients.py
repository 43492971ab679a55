"""``/settings/clients``: the team's API clients, and registering one."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.register_client import AskedClient, register_client
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import Form
from keybearer.server.node import Node
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.quick_start import quick_start
from keybearer.server.pages.render import keep_to_fields, render, render_form
from keybearer.server.pages.session import Visitor, confirmed_visitor, posted_by, require_permission, visitor
from keybearer.server.reads.clients import team_clients
from keybearer.server.refusals import Refusal
from keybearer.server.roles import APPS_READ, APPS_WRITE

_FIELDS: Final = ("team", "name", "redirect_uris", "kind", "pkce")


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of the list and of the page that creates."""
    return [page("/settings/clients", get=_list), page("/settings/clients/new", get=_new, post=_create, keeps=_FIELDS)]


def redirect_uris_in(form: Form) -> str:
    """Return what stands in the field for redirect URIs; a program may also send the field once for each."""
    return "\n".join(form.all("redirect_uris"))


async def _list(request: Request) -> Response:
    viewer = await visitor(request)
    node: Node = request.app.state.node
    if viewer.team is None:
        return render(request, "clients.html", viewer, rows=(), can_write=False)
    require_permission(viewer, APPS_READ)
    rows = await node.view(team_clients, viewer.team.team_id)
    return render(request, "clients.html", viewer, rows=rows, can_write=APPS_WRITE in viewer.permissions)


async def _new(request: Request) -> Response:
    viewer = await confirmed_visitor(request, APPS_WRITE)
    return _form_page(request, viewer, kept_form(request, viewer))


async def _create(request: Request) -> Response:
    viewer, form, team = await posted_by(request, APPS_WRITE)
    user_id = viewer.user.user_id
    asked = AskedClient(
        user_id=user_id,
        team_id=team.team_id,
        name=form.maybe("name") or "",
        redirect_uris=redirect_uris_in(form),
        kind=form.maybe("kind") or "confidential",
        pkce=form.maybe("pkce") or "optional",
    )
    node: Node = request.app.state.node
    prefix = node.settings.token_prefix
    try:
        form.demand_only(*_FIELDS)
        made = await node.act(register_client, actor_of(request, user_id=user_id), asked, prefix, node.now())
    except Refusal as refusal:
        keep_to_fields(refusal)
        return _form_page(request, viewer, form, refusal)
    start = quick_start(node.settings.issuer, made.client, made.redirect_uris[0])
    return render(request, "client_created.html", viewer, made=made, start=start)


def _form_page(request: Request, viewer: Visitor, form: Form, refusal: Refusal | None = None) -> Response:
    """Return the page with what was typed."""
    return render_form(
        request,
        "client_new.html",
        viewer,
        refusal,
        name=form.text("name"),
        redirect_uris=redirect_uris_in(form),
        kind=form.text("kind") or "confidential",
        pkce=form.text("pkce") or "optional",
    )
