"""``/settings/apps``: the apps that a person has let in, and cutting them off."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.revoke_grant import Reach, revoke_grant
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import read_form
from keybearer.server.node import Node
from keybearer.server.pages.confirming import is_confirmed
from keybearer.server.pages.doors import page
from keybearer.server.pages.render import redirect_ended, render
from keybearer.server.pages.session import Visitor, visitor
from keybearer.server.reads.access import own_app, own_app_name, own_apps
from keybearer.server.reads.last_uses import last_uses
from keybearer.server.records import ActivityFilter

_LIST = "/settings/apps"


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of the list and of cutting an app off."""
    return [page(_LIST, get=_show), page(f"{_LIST}/{{grant_id}}/revoke", get=_ask, post=_take)]


async def _show(request: Request) -> Response:
    node: Node = request.app.state.node
    viewer = await visitor(request)
    apps = await node.view(own_apps, viewer.user.user_id, node.now())
    own = viewer.user.user_id
    uses = await node.view(
        last_uses, {app.grant_id: ActivityFilter(app.team_id, user_id=own, client_id=app.client_id) for app in apps}
    )
    words = node.settings.permissions
    return render(request, "apps.html", viewer, apps=apps, uses=uses, words=words)


async def _ask(request: Request) -> Response:
    return await _question(request, await visitor(request))


async def _question(request: Request, viewer: Visitor) -> Response:
    """Say what will stop, before anything does."""
    node: Node = request.app.state.node
    app = await node.view(own_app, viewer.user.user_id, request.path_params["grant_id"], node.now())
    return render(request, "app_revoke.html", viewer, app=app, words=node.settings.permissions, back=_LIST)


async def _take(request: Request) -> Response:
    """
    Cut the app off once it is confirmed; a second press of the button finds that done, not missing.

    No password is asked for: access of one's own is given up, at once, from any device at hand.
    """
    viewer = await visitor(request)
    form = await read_form(request)
    if not is_confirmed(form):
        return await _question(request, viewer)
    node: Node = request.app.state.node
    user_id, grant_id = viewer.user.user_id, request.path_params["grant_id"]
    name = await node.view(own_app_name, user_id, grant_id)
    await node.act(revoke_grant, actor_of(request, user_id=user_id), grant_id, Reach(user_id, None), node.now())
    return await redirect_ended(request, _LIST, f"{name} can no longer act in your name.", "app")
