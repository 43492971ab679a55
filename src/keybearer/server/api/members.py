"""``/team/members`` and ``/teams/{team_id}/members``: who is in the token's own team."""

import re
from typing import Final

from starlette.responses import Response

from keybearer.server import refusals
from keybearer.server.api.endpoints import Call, Endpoint
from keybearer.server.api.lists import list_answer, paging_of
from keybearer.server.api.shapes import member_object
from keybearer.server.http.answers import json_answer
from keybearer.server.reads.members import member_of, members_page
from keybearer.server.reads.paging import Page

_MEMBERS_READ: Final = "members:read"
_MEMBER_ID: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)  # below 2**63, which is what the database holds


async def list_members(call: Call) -> Response:
    """Answer a page of the members of the token's team."""
    paging = paging_of(call.request)
    node = call.node
    page = await node.view(members_page, call.principal.team_id, paging, node.now())
    shown = Page([member_object(member) for member in page.items], page.total)
    return list_answer(call.request, node.settings.issuer, paging, shown)


async def list_members_by_team(call: Call) -> Response:
    """Answer the same for the team in the path, which must be the token's own."""
    _demand_own_team(call)
    return await list_members(call)


async def show_member(call: Call) -> Response:
    """Answer one member of the token's team, present or past."""
    _demand_own_team(call)
    member_id = call.request.path_params["member_id"]
    if not _MEMBER_ID.fullmatch(member_id):
        raise refusals.not_found("malformed member id")
    node = call.node
    member = await member_of(node.database, call.principal.team_id, int(member_id), node.now())
    return json_answer(member_object(member))


def _demand_own_team(call: Call) -> None:
    """
    Refuse any team but the token's own, with the answer for a team that does not exist.

    The texts are compared, so no other way of writing a number names a team.
    """
    if call.request.path_params["team_id"] != str(call.principal.team_id):
        raise refusals.not_found("not the token's team")


ENDPOINTS = (
    Endpoint("GET", "/team/members", _MEMBERS_READ, list_members),
    Endpoint("GET", "/teams/{team_id}/members", _MEMBERS_READ, list_members_by_team),
    Endpoint("GET", "/teams/{team_id}/members/{member_id}", _MEMBERS_READ, show_member),
)
