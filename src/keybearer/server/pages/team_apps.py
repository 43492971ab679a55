"""``/team/apps``: every token and app that reaches the active team, and cutting any of them off."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.revoke_grant import Reach, revoke_grant
from keybearer.server.http.edge import actor_of
from keybearer.server.node import Node
from keybearer.server.pages.confirming import is_confirmed
from keybearer.server.pages.doors import page
from keybearer.server.pages.pager import paging_of, turn_of
from keybearer.server.pages.render import redirect_ended, render
from keybearer.server.pages.session import (
    Visitor,
    active_team,
    confirmed_visitor,
    posted_by,
    require_permission,
    visitor,
)
from keybearer.server.reads.access import access_to_team, named_in_team, team_access
from keybearer.server.reads.last_uses import last_uses
from keybearer.server.records import ActivityFilter
from keybearer.server.roles import MEMBERS_MANAGE

_LIST = "/team/apps"


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of the list and of cutting something off."""
    return [page(_LIST, get=_show), page(f"{_LIST}/{{grant_id}}/revoke", get=_ask, post=_take)]


async def _show(request: Request) -> Response:
    node: Node = request.app.state.node
    viewer = await visitor(request)
    require_permission(viewer, MEMBERS_MANAGE)
    paging = paging_of(request)
    team_id = active_team(viewer).team_id
    found = await node.view(team_access, team_id, paging, node.now())
    uses = await node.view(
        last_uses,
        {
            row.grant_id: ActivityFilter(team_id, row.user_id, token_id=row.token_id, client_id=row.client_id)
            for row in found.items
        },
    )
    turn = turn_of(paging, found.total)
    return render(request, "team_apps.html", viewer, rows=found.items, uses=uses, turn=turn)


async def _ask(request: Request) -> Response:
    return await _question(request, await confirmed_visitor(request, MEMBERS_MANAGE))


async def _take(request: Request) -> Response:
    """
    Cut it off once it is confirmed; a second press of the button finds that done, not missing.

    The password must have been given lately, unlike for one's own apps: it stops what others rely on, for good, so a
    browser left open must not be enough.
    """
    viewer, form, team = await posted_by(request, MEMBERS_MANAGE)
    if not is_confirmed(form, "team"):
        return await _question(request, viewer)
    node: Node = request.app.state.node
    user_id, grant_id = viewer.user.user_id, request.path_params["grant_id"]
    named = await node.view(named_in_team, team.team_id, grant_id)
    reach = Reach(user_id, team.team_id)
    await node.act(revoke_grant, actor_of(request, user_id=user_id), grant_id, reach, node.now())
    notice = f"{named.name} can no longer act as {named.user_name} in {team.name}."
    return await redirect_ended(request, _LIST, notice, "token")


async def _question(request: Request, viewer: Visitor) -> Response:
    """Say what will stop, before anything does."""
    node: Node = request.app.state.node
    team_id, grant_id = active_team(viewer).team_id, request.path_params["grant_id"]
    row = await node.view(access_to_team, team_id, grant_id, node.now())
    return render(request, "team_app_revoke.html", viewer, row=row, back=_LIST)
