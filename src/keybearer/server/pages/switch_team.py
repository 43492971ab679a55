"""``/switch-team``: which of one's teams the pages work in."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server import refusals
from keybearer.server.actions.switch_team import switch_team
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import read_form
from keybearer.server.node import Node
from keybearer.server.numbers import number_in
from keybearer.server.pages.doors import page
from keybearer.server.pages.render import redirect, render
from keybearer.server.pages.session import visitor
from keybearer.wire.token_text import ENVIRONMENTS


def routes(_: Node) -> list[BaseRoute]:
    """Return the door of the page."""
    return [page("/switch-team", get=_show, post=_take)]


async def _show(request: Request) -> Response:
    viewer = await visitor(request)
    grouped = [
        (environment, [place for place in viewer.places if place.team.environment == environment])
        for environment in ENVIRONMENTS
    ]
    return render(request, "switch_team.html", viewer, groups=[group for group in grouped if group[1]])


async def _take(request: Request) -> Response:
    viewer = await visitor(request)
    form = await read_form(request)
    form.demand_only("team")
    team_id = number_in(form.one("team"))
    if team_id is None:
        raise refusals.not_found("switch-team: not a team's id")
    node: Node = request.app.state.node
    actor = actor_of(request, user_id=viewer.user.user_id)
    team = await node.act(switch_team, actor, viewer.session, team_id, node.now())
    return redirect(request, "/settings/tokens", f"Your active team is now {team.name} ({team.environment}).")
