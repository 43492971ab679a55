"""``/team``: what the active team is and how it is reached."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.update_team import TeamChange, update_team
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import read_form
from keybearer.server.node import Node
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.render import keep_to_fields, redirect, render_form
from keybearer.server.pages.session import require_permission, team_of, visitor
from keybearer.server.refusals import Refusal

_HERE = "/team"
_FIELDS = ("team", "contact", "telephone")


def routes(_: Node) -> list[BaseRoute]:
    """Return the door of the page."""
    return [page(_HERE, get=_show, post=_take, keeps=_FIELDS)]


async def _show(request: Request) -> Response:
    viewer = await visitor(request)
    if viewer.team is None:
        return redirect(request, "/switch-team")  # which says that they are in no team
    require_permission(viewer, "team:read")
    typed = {"contact": viewer.team.contact, "telephone": viewer.team.telephone or ""}
    typed |= dict(kept_form(request, viewer).pairs)
    return render_form(request, "team.html", viewer, None, typed=typed)


async def _take(request: Request) -> Response:
    """Change how the team is reached; an empty telephone number removes it."""
    viewer = await visitor(request)
    form = await read_form(request)
    team = team_of(viewer, form)
    require_permission(viewer, "team:manage")
    typed = {"contact": form.text("contact").strip(), "telephone": form.text("telephone").strip()}
    change = TeamChange(typed["contact"], typed["telephone"] or None, changes_telephone=True)
    node: Node = request.app.state.node
    try:
        form.demand_only(*_FIELDS)
        await node.act(update_team, actor_of(request, user_id=viewer.user.user_id), team.team_id, change, node.now())
    except Refusal as refusal:
        keep_to_fields(refusal)
        return render_form(request, "team.html", viewer, refusal, typed=typed)
    return redirect(request, _HERE, "The team's details are changed.")
