"""``/team``: the one team that the token reaches, and the user's own place in it."""

from typing import Final

from starlette.responses import Response

from keybearer.server.actions.update_team import TeamChange, update_team
from keybearer.server.api.bodies import Property, read_change
from keybearer.server.api.endpoints import Call, Demand, Endpoint, telling
from keybearer.server.api.shapes import member_object, team_object
from keybearer.server.http.answers import json_answer
from keybearer.server.node import Node
from keybearer.server.reads.members import membership_of
from keybearer.server.reads.teams import team_of
from keybearer.wire.principal import Principal

_CHANGEABLE: Final = (Property("contact"), Property("telephone", may_be_null=True))


async def show_team(node: Node, principal: Principal) -> dict[str, object]:
    """Tell of the token's team."""
    return team_object(await team_of(node.database, principal.team_id))


async def change_team(call: Call) -> Response:
    """Change how the team is reached, and answer the team."""
    said = await read_change(call.request, _CHANGEABLE)
    change = TeamChange(said.get("contact"), said.get("telephone"), changes_telephone="telephone" in said)
    node = call.node
    team = await node.act(update_team, call.actor, call.principal.team_id, change, node.now())
    return json_answer(team_object(team))


async def show_own_membership(node: Node, principal: Principal) -> dict[str, object]:
    """Tell of the user's own membership of the team."""
    return member_object(await membership_of(node.database, principal.team_id, principal.user_id, node.now()))


ENDPOINTS = (
    telling("/team", "team:read", show_team),
    Endpoint("PATCH", "/team", "team:manage", change_team),
    telling("/team/me", Demand.AUTHENTICATED, show_own_membership),
)
