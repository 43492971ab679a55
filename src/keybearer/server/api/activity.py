"""``/activity``: what happened in the token's team, the newest first."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from keybearer.server import refusals
from keybearer.server.api.endpoints import BASE, Call, Demand, Endpoint
from keybearer.server.api.lists import limit_of, query_fields
from keybearer.server.api.shapes import activity_object
from keybearer.server.http.activity_query import FILTERS, Cursors, cursor_of, filter_of
from keybearer.server.http.answers import json_answer
from keybearer.server.http.forms import Form
from keybearer.server.reads.activity import Sight, activity_page
from keybearer.server.roles import MEMBERS_MANAGE
from keybearer.wire.principal import Principal

_PATH: Final = "/activity"
_KNOWN: Final = frozenset({*FILTERS, "limit", "cursor"})


async def list_activity(call: Call) -> Response:
    """
    Answer a page of what happened in the token's team.

    A parameter that is not known is refused: a filter with a slip in its name would answer with everything.
    """
    query = query_fields(call.request)
    _check_names(query)
    sight = _sight(call.principal)
    limit = limit_of(query)
    wanted = filter_of(query, sight.team_id)
    node, viewer_id = call.node, call.principal.user_id
    cursors = Cursors(node.cursor_key)
    text = cursor_of(query)
    before = None if text is None else cursors.position(sight, wanted, viewer_id, text)
    page = await node.view(activity_page, sight, wanted, before, limit)
    cursor = cursors.text(sight, wanted, viewer_id, page.after) if page.after else None
    return json_answer(
        {
            "object": "cursor_list",
            "data": [activity_object(happening) for happening in page.items],
            "count": len(page.items),
            "limit": limit,
            "next_cursor": cursor,
            "links": {"next": _link(node.settings.issuer, query, cursor)} if cursor else None,
        }
    )


def _check_names(query: Form) -> None:
    unknown = sorted({name for name, _ in query.pairs} - _KNOWN)
    if unknown:
        public = f"This parameter is not known. The parameters are {', '.join(sorted(_KNOWN))}."
        raise refusals.all_invalid([refusals.invalid(name, public, "unknown parameter") for name in unknown])


def _sight(principal: Principal) -> Sight:
    """Return what a token may see: its team's, or its user's own; a narrowed one without that permission, its own."""
    if principal.can(MEMBERS_MANAGE):
        return Sight(principal.team_id, None)
    return Sight(principal.team_id, principal.user_id, principal.token_id if principal.is_narrowed else None)


def _link(issuer: str, query: Form, cursor: str) -> str:
    kept = [pair for pair in query.pairs if pair[0] != "cursor"]
    return f"{issuer}{BASE}{_PATH}?{urlencode([*kept, ('cursor', cursor)])}"


ENDPOINTS = (Endpoint("GET", _PATH, Demand.AUTHENTICATED, list_activity),)
