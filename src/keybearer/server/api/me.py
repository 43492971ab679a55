"""``/me``: the user in whose name the token acts."""

from typing import Final

from starlette.responses import Response

from keybearer.server.accounts.profile_changes import ProfileChange
from keybearer.server.actions.request_email_change import request_email_change
from keybearer.server.actions.update_profile import update_profile
from keybearer.server.api.bodies import Property, read_change
from keybearer.server.api.endpoints import Call, Demand, Endpoint, telling
from keybearer.server.api.lists import list_answer, paging_of
from keybearer.server.api.shapes import team_object, user_object
from keybearer.server.http.answers import json_answer
from keybearer.server.mail.letters import Letters
from keybearer.server.node import Node
from keybearer.server.reads.paging import Page
from keybearer.server.reads.profile import profile_of
from keybearer.server.reads.teams import teams_page
from keybearer.wire.principal import Principal

_CHANGEABLE: Final = (Property("name"), Property("email"))


async def show_me(node: Node, principal: Principal) -> dict[str, object]:
    """Tell of the user."""
    return user_object(await profile_of(node.database, principal.user_id))


async def change_me(call: Call) -> Response:
    """Change the user's name, let another address wait for its mailed link, and answer the user as they are now."""
    said = await read_change(call.request, _CHANGEABLE)
    node, user_id = call.node, call.principal.user_id
    change = ProfileChange(said.get("name"), said.get("email"))
    asked = await node.act(request_email_change, user_id, change, node.now()) if change.email is not None else None
    if asked:
        await node.mailer.send(Letters(node.settings).address_asked(asked))
    await node.act(update_profile, call.actor, user_id, change, asked, node.now())
    return json_answer(user_object(await profile_of(node.database, user_id)))


async def list_my_teams(call: Call) -> Response:
    """Answer a page of the teams that the user belongs to, whichever team the token reaches."""
    paging = paging_of(call.request)
    node = call.node
    page = await node.view(teams_page, call.principal.user_id, paging, node.now())
    shown = Page([team_object(team) for team in page.items], page.total)
    return list_answer(call.request, node.settings.issuer, paging, shown)


ENDPOINTS = (
    telling("/me", Demand.AUTHENTICATED, show_me),
    Endpoint("PATCH", "/me", Demand.UNNARROWED, change_me),
    Endpoint("GET", "/me/teams", Demand.AUTHENTICATED, list_my_teams),
)
