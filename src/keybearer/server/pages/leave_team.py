"""``/team/leave``: leaving the active team by oneself."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.remove_member import remove_member
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import read_form
from keybearer.server.node import Node
from keybearer.server.pages.confirming import is_confirmed
from keybearer.server.pages.doors import page
from keybearer.server.pages.render import keep_to_fields, redirect, render_form
from keybearer.server.pages.session import Visitor, active_team, require_recent, team_of, visitor
from keybearer.server.reads.access import access_of_member
from keybearer.server.refusals import Refusal
from keybearer.server.roles import MEMBERS_MANAGE


def routes(_: Node) -> list[BaseRoute]:
    """Return the door of the page."""
    return [page("/team/leave", get=_ask, post=_take)]


async def _ask(request: Request) -> Response:
    viewer = await visitor(request)
    require_recent(request, viewer)
    return await _question(request, viewer)


async def _take(request: Request) -> Response:
    """Leave the team once it is confirmed; the last admin cannot."""
    viewer = await visitor(request)
    require_recent(request, viewer)
    form = await read_form(request)
    is_meant = is_confirmed(form, "team")
    team = team_of(viewer, form)
    if not is_meant:
        return await _question(request, viewer)
    node: Node = request.app.state.node
    user_id, managers = viewer.user.user_id, node.roles_with(MEMBERS_MANAGE)
    try:
        await node.act(remove_member, actor_of(request, user_id=user_id), team.team_id, user_id, managers, node.now())
    except Refusal as refusal:
        keep_to_fields(refusal)
        return await _question(request, viewer, refusal)
    return redirect(request, "/switch-team", f"You have left {team.name}.")


async def _question(request: Request, viewer: Visitor, refusal: Refusal | None = None) -> Response:
    """Say what ends with the membership, before anything does."""
    node: Node = request.app.state.node
    ends = await node.view(access_of_member, active_team(viewer).team_id, viewer.user.user_id, node.now())
    return render_form(request, "leave_team.html", viewer, refusal, ends=ends, back="/team")
