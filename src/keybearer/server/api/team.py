"""``/team``: the one team that the token reaches, and the user's own place in it."""

from starlette.responses import Response

from keybearer.server.api.endpoints import Call, Demand, Endpoint
from keybearer.server.api.shapes import member_object, team_object
from keybearer.server.http.answers import json_answer
from keybearer.server.reads.members import membership_of
from keybearer.server.reads.teams import team_of


async def show_team(call: Call) -> Response:
    """Answer the token's team."""
    return json_answer(team_object(await team_of(call.node.database, call.principal.team_id)))


async def show_own_membership(call: Call) -> Response:
    """Answer the user's own membership of the team."""
    principal = call.principal
    member = await membership_of(call.node.database, principal.team_id, principal.user_id, call.node.now())
    return json_answer(member_object(member))


ENDPOINTS = (
    Endpoint("GET", "/team", "team:read", show_team),
    Endpoint("GET", "/team/me", Demand.AUTHENTICATED, show_own_membership),
)
