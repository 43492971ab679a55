"""``/activity``: what happened in a team, to filter and to page through, and each record by itself."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from keybearer.server import refusals
from keybearer.server.activities import ACTIONS
from keybearer.server.activity import call_records
from keybearer.server.http import forward_auth
from keybearer.server.http.activity_query import FILTERS, Cursors, cursor_of, filter_of
from keybearer.server.http.forms import Form, read_query
from keybearer.server.node import Node
from keybearer.server.numbers import number_in
from keybearer.server.pages.activity_chart import chart_of, window_of
from keybearer.server.pages.doors import page
from keybearer.server.pages.render import keep_to_fields, render, render_form
from keybearer.server.pages.session import Visitor, active_team, visitor
from keybearer.server.reads.activity import Happening, Sight, activity_page, activity_record, activity_tally
from keybearer.server.reads.activity_export import FORMATS, activity_chunks
from keybearer.server.reads.activity_names import names_in, offered_names
from keybearer.server.records import ActivityFilter, Place, Team
from keybearer.server.refusals import Refusal
from keybearer.server.roles import APPS_READ, MEMBERS_MANAGE
from keybearer.wire.activity_keys import OUTCOMES

PATH: Final = "/activity"
_AT_ONCE: Final = 50
_MEDIA_TYPES: Final = {"jsonl": "application/jsonl", "csv": "text/csv; charset=utf-8"}
_ACTIONS: Final = {"api.called": "An API was called"} | ACTIONS
_OUTCOME_TITLES: Final = {"done": "Done", "refused": "Refused", "failed": "Failed", "unknown": "Unknown"}


class _GatewayWords(msgspec.Struct):
    """What a call that passed a gateway says of itself."""

    api: str = ""


_gateway_words: Final = msgspec.json.Decoder(_GatewayWords).decode


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a page of the log was asked for.

    Args:
        team: one of the visitor's own, which need not be the active one: nothing is changed here.
        permissions: the visitor's in that team.
        query: the filters and the cursor, without fields that were left empty.
    """

    visitor: Visitor
    team: Team
    permissions: frozenset[str]
    sight: Sight
    query: Form

    def link(self, path: str = PATH, **other: str) -> str:
        """Return the address of a page of the same filters; the cursor is not kept."""
        kept = [(name, value) for name, value in self.query.pairs if name in FILTERS]
        team = [] if self.team == self.visitor.team else [("team", str(self.team.team_id))]
        query = urlencode([*kept, *team, *other.items()])
        return f"{path}?{query}" if query else path


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of the log, of its export and of one record."""
    return [
        page(PATH, get=_show),
        page(f"{PATH}/export", get=_export),
        page(f"{PATH}/{{activity_id}}", get=_show_record),
    ]


async def asked_of(request: Request) -> Asked:
    """
    Return what is asked for, and by whom.

    Raises:
        Refusal: ``not_found``: the visitor is in no team, or not in the one that is named.
    """
    viewer = await visitor(request)
    query = Form(tuple((name, value.strip()) for name, value in read_query(request).pairs if value.strip()))
    place = _place(viewer, query.text("team") or str(active_team(viewer).team_id))
    node: Node = request.app.state.node
    permissions = node.role_permissions[place.role]
    return Asked(viewer, place.team, permissions, _sight(node, viewer, place), query)


def _sight(node: Node, viewer: Visitor, place: Place) -> Sight:
    sees_all = MEMBERS_MANAGE in node.role_permissions[place.role]
    return Sight(place.team.team_id, None if sees_all else viewer.user.user_id)


def _place(viewer: Visitor, named: str) -> Place:
    place = next((place for place in viewer.places if str(place.team.team_id) == named), None)
    if place is None:
        raise refusals.not_found("activity: not one of the visitor's teams")
    return place


async def _show(request: Request) -> Response:
    asked = await asked_of(request)
    try:
        return await _listed(request, asked)
    except Refusal as refusal:
        keep_to_fields(refusal)
        nothing = ActivityFilter(asked.team.team_id, since=0, until=0)
        return await _log(request, asked, nothing, refusal)


async def _listed(request: Request, asked: Asked) -> Response:
    node: Node = request.app.state.node
    wanted = filter_of(asked.query, asked.team.team_id)
    cursors, viewer_id = Cursors(node.cursor_key), asked.visitor.user.user_id
    text = cursor_of(asked.query)
    before = None if text is None else cursors.position(asked.sight, wanted, viewer_id, text)
    found = await node.view(activity_page, asked.sight, wanted, before, _AT_ONCE)
    older = cursors.text(asked.sight, wanted, viewer_id, found.after) if found.after else ""
    return await _log(request, asked, wanted, (found.items, older))


async def _log(
    request: Request, asked: Asked, wanted: ActivityFilter, found: tuple[tuple[Happening, ...], str] | Refusal
) -> Response:
    """
    Return the page: filters as they were chosen, the chart, and what was found.

    Args:
        found: records and the cursor to older ones, or why there are none.
    """
    refusal = found if isinstance(found, Refusal) else None
    rows, older = ((), "") if isinstance(found, Refusal) else found
    node: Node = request.app.state.node
    window = window_of(wanted, node.now())
    charted = replace(wanted, since=window.since, until=window.until)
    tallies = [] if refusal else await node.view(activity_tally, asked.sight, charted, window.length)
    return render_form(
        request,
        "activity.html",
        asked.visitor,
        refusal,
        asked=asked,
        chosen={name: asked.query.text(name) for name in (*FILTERS, "cursor")},
        is_filtered=any(asked.query.text(name) for name in FILTERS),
        rows=rows,
        chart=chart_of(window, tallies),
        older=asked.link(cursor=older) if older else "",
        offered=await node.view(offered_names, asked.sight),
        **await _words(request, asked, rows),
    )


async def _export(request: Request) -> Response:
    """Send all that the filters find as a file, while it is read; it breaks off once the visitor may not see it."""
    asked = await asked_of(request)
    wanted = filter_of(asked.query, asked.team.team_id)
    form = asked.query.text("format") or FORMATS[0]
    if form not in FORMATS:
        raise refusals.not_found("activity: no such format")
    node: Node = request.app.state.node
    chunks = activity_chunks(node.database, asked.sight, wanted, form)
    name = f"activity-{asked.team.identifier}.{form}"

    async def written() -> AsyncIterator[bytes]:
        async for chunk in chunks:
            viewer = await visitor(request)
            if _sight(node, viewer, _place(viewer, str(asked.team.team_id))) != asked.sight:
                raise refusals.forbidden("activity: the visitor's role has changed during an export")
            yield chunk.data

    return StreamingResponse(
        written(),
        media_type=_MEDIA_TYPES[form],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def _show_record(request: Request) -> Response:
    asked = await asked_of(request)
    number = number_in(request.path_params["activity_id"])
    if number is None:
        raise refusals.not_found("activity: no number of a record")
    node: Node = request.app.state.node
    found = await node.view(activity_record, asked.sight, number)
    words = await _words(request, asked, (found,))
    return render(request, "activity_record.html", asked.visitor, asked=asked, each=found, **words)


async def _words(request: Request, asked: Asked, rows: tuple[Happening, ...]) -> dict[str, Any]:
    """Return what a template needs to speak of records."""
    node: Node = request.app.state.node
    return {
        "names": await node.view(names_in, asked.sight, rows),
        "actions": _ACTIONS,
        "outcomes": [(outcome, _OUTCOME_TITLES[outcome]) for outcome in OUTCOMES],
        "api_behind": _api_behind,
        "sees_apps": APPS_READ in asked.permissions,
        "sees_all": asked.sight.user_id is None,
    }


def _api_behind(record: Happening) -> str | None:
    """Return which API a call went to through a gateway, '' if that was erased; None if no gateway asked about it."""
    if record.reporter != call_records.NAME or not (record.route or "").startswith(forward_auth.PATH):
        return None
    try:
        return _gateway_words(record.words or "{}").api
    except (RecursionError, msgspec.MsgspecError):  # spoilt in the database
        return ""
