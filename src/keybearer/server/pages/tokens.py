"""``/settings/tokens``: the visitor's personal tokens, and the deletion of one."""

from typing import Any

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
from keybearer.server.pages.session import visitor
from keybearer.server.reads.access import own_token, own_tokens
from keybearer.server.reads.last_uses import last_uses
from keybearer.server.records import ActivityFilter


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of the list, and of deleting what is on it."""
    return [page("/settings/tokens", get=_show), page("/settings/tokens/{grant_id}/delete", post=_delete)]


async def _show(request: Request) -> Response:
    node: Node = request.app.state.node
    viewer = await visitor(request)
    return render(request, "tokens.html", viewer, **await listed_tokens(node, viewer.user.user_id))


async def _delete(request: Request) -> Response:
    """Ask first; then end the token. One's own can be deleted whichever team is active, and without the password."""
    node: Node = request.app.state.node
    viewer = await visitor(request)
    user_id = viewer.user.user_id
    form = await read_form(request)
    is_meant = is_confirmed(form)
    token = await node.view(own_token, user_id, request.path_params["grant_id"])
    if not is_meant:
        return render(request, "token_delete.html", viewer, token=token, **about_texts(node))
    actor = actor_of(request, user_id=user_id)
    await node.act(revoke_grant, actor, token.grant_id, Reach(user_id, managed_team_id=None), node.now())
    notice = f"The token “{token.name}” is deleted. It no longer works."
    return await redirect_ended(request, "/settings/tokens", notice, "token")


async def listed_tokens(node: Node, user_id: int) -> dict[str, Any]:
    """Return what a template needs to list the user's personal tokens."""
    held = await node.view(own_tokens, user_id)
    wanted = {token.grant_id: ActivityFilter(token.team_id, token_id=token.token_id) for token in held}
    uses = await node.view(last_uses, wanted)
    return {"tokens": held, "uses": uses, **about_texts(node)}


def about_texts(node: Node) -> dict[str, str]:
    """Return what a template needs to write a token's beginning, and a call."""
    return {"prefix": node.settings.token_prefix, "issuer": node.settings.issuer}
