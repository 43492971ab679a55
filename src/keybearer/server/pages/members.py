"""``/team/members``: who is in the active team, and adding somebody."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server import refusals
from keybearer.server.actions.set_member_role import RoleGiven, set_member_role
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import Form
from keybearer.server.limits.attempts import AttemptLimit
from keybearer.server.node import Node
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.pager import paging_of, turn_of
from keybearer.server.pages.render import redirect, render, render_form
from keybearer.server.pages.role_choices import HOURS, of_the_form, role_asked, role_choices
from keybearer.server.pages.session import (
    Visitor,
    active_team,
    confirmed_visitor,
    posted_by,
    require_permission,
    visitor,
)
from keybearer.server.reads.members import members_page, newcomer
from keybearer.server.records import User
from keybearer.server.refusals import Refusal
from keybearer.server.roles import MEMBERS_MANAGE, ROLE_TITLES
from keybearer.server.settings import Rate

LIST: Final = "/team/members"
# Whoever manages members learns of each address they type whether somebody here has it; nobody goes through a list.
ADDRESSES: Final = Rate((60, 3600))
_FIELDS: Final = ("team", "email", "role", "hours")


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of the list and of adding somebody."""
    typed_addresses = AttemptLimit(ADDRESSES)

    async def add(request: Request) -> Response:
        return await _add(request, typed_addresses)

    return [page(LIST, get=_show), page(f"{LIST}/new", get=_ask, post=add, keeps=_FIELDS)]


async def _show(request: Request) -> Response:
    node: Node = request.app.state.node
    viewer = await visitor(request)
    require_permission(viewer, "members:read")
    paging = paging_of(request)
    found = await node.view(members_page, active_team(viewer).team_id, paging, node.now())
    return render(
        request,
        "members.html",
        viewer,
        members=found.items,
        turn=turn_of(paging, found.total),
        may_manage=MEMBERS_MANAGE in viewer.permissions,
    )


async def _ask(request: Request) -> Response:
    viewer = await confirmed_visitor(request, MEMBERS_MANAGE)
    return _form(request, viewer, {"role": "member", **dict(kept_form(request, viewer).pairs)})


async def _add(request: Request, typed_addresses: AttemptLimit) -> Response:
    """Add the person of the address that was typed."""
    viewer, form, team = await posted_by(request, MEMBERS_MANAGE)
    node: Node = request.app.state.node
    now = node.now()
    asked = role_asked(form, now)
    try:
        form.demand_only(*_FIELDS)
        user = await _found(request, viewer, form, typed_addresses)
        given = RoleGiven(team.team_id, user.user_id, asked.role, asked.expires_at)
        actor = actor_of(request, user_id=viewer.user.user_id)
        await node.act(set_member_role, actor, given, node.roles_with(MEMBERS_MANAGE), now)
    except Refusal as refusal:
        if refusal.code not in {"invalid", "too_many"}:
            raise
        typed = {name: form.text(name) for name in ("email", "role", "hours")}
        return _form(request, viewer, typed, of_the_form(refusal))
    return redirect(request, LIST, f"{user.name} is now in {team.name} as {ROLE_TITLES[asked.role]}.")


async def _found(request: Request, viewer: Visitor, form: Form, typed_addresses: AttemptLimit) -> User:
    """
    Return whom the address means, its look-up counted first.

    Raises:
        Refusal: ``invalid``: nobody, or a member already; ``too_many``.
    """
    node: Node = request.app.state.node
    wait_s = typed_addresses.count(viewer.user.user_id, node.now())
    if wait_s:
        raise refusals.too_many("addresses typed by a team's admin", wait_s)
    return await node.view(newcomer, active_team(viewer).team_id, form.text("email"), node.now())


def _form(request: Request, viewer: Visitor, typed: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    """Return the page with what was typed, and what is wrong with it."""
    return render_form(
        request,
        "member_new.html",
        viewer,
        refusal,
        typed={"email": "", "hours": str(HOURS[-1]), **typed},
        choices=role_choices(request.app.state.node, viewer),
        hours=HOURS,
    )
