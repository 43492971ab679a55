"""``/settings/clients/{client_id}``: one API client, to change, to give a new secret, to delete."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.delete_client import delete_client
from keybearer.server.actions.rotate_client_secret import Rotation, rotate_client_secret
from keybearer.server.actions.update_client import ClientChange, update_client
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import Form
from keybearer.server.node import Node
from keybearer.server.pages.clients import redirect_uris_in
from keybearer.server.pages.confirming import is_confirmed
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.quick_start import quick_start
from keybearer.server.pages.render import keep_to_fields, redirect, redirect_ended, render, render_form
from keybearer.server.pages.session import Visitor, active_team, posted_by, require_permission, visitor
from keybearer.server.reads.clients import ClientDetails, client_details
from keybearer.server.reads.lifetimes import offered_overlaps
from keybearer.server.refusals import Refusal
from keybearer.server.roles import APPS_READ, APPS_WRITE

PATH = "/settings/clients/{client_id}"
_FIELDS = ("team", "name", "redirect_uris", "pkce")


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of one client's page."""
    return [
        page(PATH, get=_show, post=_update, keeps=_FIELDS),
        page(f"{PATH}/rotate", get=_back, post=_rotate),
        page(f"{PATH}/delete", get=_ask_to_delete, post=_delete),
    ]


async def details_for(request: Request, viewer: Visitor) -> ClientDetails:
    """
    Return the client that the address names, if it is the active team's.

    Raises:
        Refusal: ``not_found``.
    """
    node: Node = request.app.state.node
    client_id, team_id = request.path_params["client_id"], active_team(viewer).team_id
    return await node.view(client_details, client_id, team_id, viewer.user.user_id, node.now())


async def _show(request: Request) -> Response:
    viewer = await visitor(request)
    require_permission(viewer, APPS_READ)
    typed = kept_form(request, viewer)
    return await _client_page(request, viewer, typed if typed.pairs else None)


async def _back(request: Request) -> Response:
    """Lead to the client's page: whoever had to give their password comes here, their form left behind."""
    viewer = await visitor(request)
    require_permission(viewer, APPS_READ)
    details = await details_for(request, viewer)
    return redirect(request, f"/settings/clients/{details.client.client_id}")


async def _update(request: Request) -> Response:
    viewer, form, team = await posted_by(request, APPS_WRITE)
    node: Node = request.app.state.node
    actor = actor_of(request, user_id=viewer.user.user_id)
    change = ClientChange(
        team_id=team.team_id,
        name=form.maybe("name") or "",
        redirect_uris=redirect_uris_in(form),
        pkce=form.maybe("pkce"),
    )
    try:
        form.demand_only(*_FIELDS)
        client = await node.act(update_client, actor, request.path_params["client_id"], change, node.now())
    except Refusal as refusal:
        return await _client_page(request, viewer, form, refusal)
    return redirect(request, f"/settings/clients/{client.client_id}", f"The changes to {client.name} are saved.")


async def _rotate(request: Request) -> Response:
    viewer, form, team = await posted_by(request, APPS_WRITE)
    node: Node = request.app.state.node
    now = node.now()
    actor = actor_of(request, user_id=viewer.user.user_id)
    rotation = Rotation(team.team_id, form.maybe("overlap") or "")
    client_id, prefix = request.path_params["client_id"], node.settings.token_prefix
    try:
        form.demand_only("team", "overlap")
        made = await node.act(rotate_client_secret, actor, client_id, rotation, prefix, now)
    except Refusal as refusal:
        return await _client_page(request, viewer, None, refusal)
    return render(request, "client_secret.html", viewer, made=made, shown_at=now)


async def _ask_to_delete(request: Request) -> Response:
    viewer = await visitor(request)
    require_permission(viewer, APPS_WRITE)
    return render(request, "client_delete.html", viewer, details=await details_for(request, viewer))


async def _delete(request: Request) -> Response:
    viewer, form, team = await posted_by(request, APPS_WRITE)
    if not is_confirmed(form, "team"):
        return render(request, "client_delete.html", viewer, details=await details_for(request, viewer))
    node: Node = request.app.state.node
    actor = actor_of(request, user_id=viewer.user.user_id)
    client = await node.act(delete_client, actor, request.path_params["client_id"], team.team_id, node.now())
    notice = f"{client.name} is deleted. Its secret and all its tokens have stopped working."
    return await redirect_ended(request, "/settings/clients", notice, "app")


async def _client_page(
    request: Request, viewer: Visitor, form: Form | None = None, refusal: Refusal | None = None
) -> Response:
    """
    Return the client's page, with what was typed where a form was wrong.

    Raises:
        Refusal: the one given, unless it is about a field; ``not_found``.
    """
    if refusal is not None:
        keep_to_fields(refusal)
    node: Node = request.app.state.node
    details = await details_for(request, viewer)
    client = details.client
    return render_form(
        request,
        "client.html",
        viewer,
        refusal,
        details=details,
        client=client,
        name=form.text("name") if form else client.name,
        redirect_uris=redirect_uris_in(form) if form else "\n".join(details.redirect_uris),
        pkce=(form.text("pkce") if form else "") or client.pkce,
        overlaps=offered_overlaps(),
        start=quick_start(node.settings.issuer, client, details.redirect_uris[0]),
        can_write=APPS_WRITE in viewer.permissions,
    )
