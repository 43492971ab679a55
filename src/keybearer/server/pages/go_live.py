"""``/settings/clients/{client_id}/go-live``: a sandbox client's twin in a live team."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server import refusals
from keybearer.server.actions.go_live import Launch, go_live
from keybearer.server.http.edge import actor_of
from keybearer.server.node import Node
from keybearer.server.numbers import number_in
from keybearer.server.pages.client import PATH, details_for
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.render import keep_to_fields, render, render_form
from keybearer.server.pages.session import Visitor, confirmed_visitor, posted_by
from keybearer.server.records import Team
from keybearer.server.refusals import Refusal
from keybearer.server.roles import APPS_WRITE


def routes(_: Node) -> list[BaseRoute]:
    """Return the door of the page."""
    return [page(f"{PATH}/go-live", get=_show, post=_take, keeps=("team", "live_team"))]


async def _show(request: Request) -> Response:
    viewer = await confirmed_visitor(request, APPS_WRITE)
    return await _form_page(request, viewer, kept_form(request, viewer).text("live_team"))


async def _take(request: Request) -> Response:
    viewer, form, team = await posted_by(request, APPS_WRITE)
    node: Node = request.app.state.node
    user_id = viewer.user.user_id
    chosen = form.maybe("live_team") or ""
    launch = Launch(
        user_id=user_id,
        team_id=team.team_id,
        live_team_id=number_in(chosen) or 0,
        prefix=node.settings.token_prefix,
        role_permissions=node.role_permissions,
    )
    sandbox = await details_for(request, viewer)
    actor = actor_of(request, user_id=user_id)
    try:
        form.demand_only("team", "live_team")
        launched = await node.act(go_live, actor, sandbox.client.client_id, launch, node.now())
    except Refusal as refusal:
        return await _form_page(request, viewer, chosen, refusal)
    return render(
        request,
        "client_is_live.html",
        viewer,
        made=launched.made,
        live_team=launched.team,
        sandbox=sandbox.client,
        base_url=node.settings.issuer,
        prefix=node.settings.token_prefix,
    )


async def _form_page(request: Request, viewer: Visitor, chosen: str = "", refusal: Refusal | None = None) -> Response:
    """
    Return the page that asks which live team it is to be.

    Raises:
        Refusal: the one given, unless it is about a field; ``not_found``: also for a client that is live already.
    """
    if refusal is not None:
        keep_to_fields(refusal)
    node: Node = request.app.state.node
    details = await details_for(request, viewer)
    if details.client.environment != "sandbox":
        raise refusals.not_found(f"client {details.client.client_id} is live already")
    return render_form(
        request,
        "client_go_live.html",
        viewer,
        refusal,
        details=details,
        teams=[(team.team_id, team.name) for team in _fitting_teams(node, viewer)],
        chosen=chosen,
    )


def _fitting_teams(node: Node, viewer: Visitor) -> list[Team]:
    """Return the viewer's live teams in which they may register API clients."""
    return [
        place.team
        for place in viewer.places
        if place.team.environment == "live" and APPS_WRITE in node.role_permissions[place.role]
    ]
