"""``/team``: the one team that the token reaches, and the user's own place in it."""

from typing import Final

from starlette.responses import Response

from keybearer.server.actions.update_team import TeamChange, update_team
from keybearer.server.api.bodies import Property, read_change
from keybearer.server.api.endpoints import Call, Demand, Endpoint
from keybearer.server.api.shapes import member_object, team_object
from keybearer.server.http.answers import json_answer
from keybearer.server.reads.members import membership_of
from keybearer.server.reads.teams import team_of

_CHANGEABLE: Final = (Property("contact"), Property("telephone", may_be_null=True))


async def show_team(call: Call) -> Response:
    """Answer the token's team."""
    return json_answer(team_object(await team_of(call.node.database, call.principal.team_id)))


async def change_team(call: Call) -> Response:
    """Change how the team is reached, and answer the team."""
    said = await read_change(call.request, _CHANGEABLE)
    change = TeamChange(said.get("contact"), said.get("telephone"), changes_telephone="telephone" in said)
    node = call.node
    team = await node.act(update_team, call.actor, call.principal.team_id, change, node.now())
    return json_answer(team_object(team))


async def show_own_membership(call: Call) -> Response:
    """Answer the user's own membership of the team."""
    principal = call.principal
    member = await membership_of(call.node.database, principal.team_id, principal.user_id, call.node.now())
    return json_answer(member_object(member))


ENDPOINTS = (
    Endpoint("GET", "/team", "team:read", show_team),
    Endpoint("PATCH", "/team", "team:manage", change_team),
    Endpoint("GET", "/team/me", Demand.AUTHENTICATED, show_own_membership),
)
