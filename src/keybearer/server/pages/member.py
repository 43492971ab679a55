"""``/team/members/<id>``: giving a member another role, and removing them."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server import refusals
from keybearer.server.actions.remove_member import remove_member
from keybearer.server.actions.set_member_role import RoleGiven, set_member_role
from keybearer.server.http.edge import actor_of
from keybearer.server.node import Node
from keybearer.server.numbers import number_in
from keybearer.server.pages.confirming import is_confirmed
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.members import LIST
from keybearer.server.pages.render import keep_to_fields, redirect, redirect_ended, render_form
from keybearer.server.pages.role_choices import HOURS, of_the_form, role_asked, role_choices
from keybearer.server.pages.session import Visitor, active_team, confirmed_visitor, posted_by
from keybearer.server.reads.access import access_of_member
from keybearer.server.reads.members import TeamMember, member_of
from keybearer.server.refusals import Refusal
from keybearer.server.roles import MEMBERS_MANAGE, ROLE_TITLES

_FIELDS: Final = ("team", "role", "hours")


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of one member."""
    one = f"{LIST}/{{membership_id}}"
    return [page(one, get=_show, post=_set_role, keeps=_FIELDS), page(f"{one}/remove", get=_ask, post=_remove)]


async def _show(request: Request) -> Response:
    viewer = await confirmed_visitor(request, MEMBERS_MANAGE)
    member = await _member(request, viewer)
    typed = kept_form(request, viewer)
    return _form(request, viewer, member, {"role": member.role or "", **dict(typed.pairs)})


async def _set_role(request: Request) -> Response:
    """Give the member another role; their tokens follow at the next call."""
    viewer, form, team = await posted_by(request, MEMBERS_MANAGE)
    member = await _member(request, viewer)
    node: Node = request.app.state.node
    now = node.now()
    asked = role_asked(form, now)
    given = RoleGiven(team.team_id, member.user_id, asked.role, asked.expires_at)
    actor = actor_of(request, user_id=viewer.user.user_id)
    try:
        form.demand_only(*_FIELDS)
        await node.act(set_member_role, actor, given, node.roles_with(MEMBERS_MANAGE), now)
    except Refusal as refusal:
        keep_to_fields(refusal)
        typed = {"role": asked.role, "hours": form.text("hours")}
        return _form(request, viewer, member, typed, of_the_form(refusal))
    return redirect(request, LIST, f"{member.name} is now {ROLE_TITLES[asked.role]} in {team.name}.")


async def _ask(request: Request) -> Response:
    viewer = await confirmed_visitor(request, MEMBERS_MANAGE)
    return await _question(request, viewer, await _member(request, viewer))


async def _remove(request: Request) -> Response:
    """Take the member out of the team once it is confirmed."""
    viewer, form, team = await posted_by(request, MEMBERS_MANAGE)
    is_meant = is_confirmed(form, "team")
    member = await _member(request, viewer)
    if not is_meant or member.user_id == viewer.user.user_id:
        return await _question(request, viewer, member)
    node: Node = request.app.state.node
    managers = node.roles_with(MEMBERS_MANAGE)
    actor = actor_of(request, user_id=viewer.user.user_id)
    try:
        await node.act(remove_member, actor, team.team_id, member.user_id, managers, node.now())
    except Refusal as refusal:
        keep_to_fields(refusal)
        return await _question(request, viewer, member, refusal)
    return await redirect_ended(request, LIST, f"{member.name} is no longer in {team.name}.", "member")


async def _member(request: Request, viewer: Visitor) -> TeamMember:
    """
    Return the member of the active team whom the path names.

    Raises:
        Refusal: ``not_found``: there is no such id in the team, or its person has left.
    """
    node: Node = request.app.state.node
    membership_id = number_in(request.path_params["membership_id"])
    if membership_id is None:
        raise refusals.not_found("malformed membership id")
    member = await node.view(member_of, active_team(viewer).team_id, membership_id, node.now())
    if member.role is None:
        raise refusals.not_found(f"membership {membership_id} is over")
    return member


def _form(
    request: Request, viewer: Visitor, member: TeamMember, typed: Mapping[str, str], refusal: Refusal | None = None
) -> Response:
    """Return the page on which a role is chosen."""
    return render_form(
        request,
        "member.html",
        viewer,
        refusal,
        member=member,
        typed={"hours": str(HOURS[-1]), **typed},
        choices=role_choices(request.app.state.node, viewer),
        hours=HOURS,
    )


async def _question(request: Request, viewer: Visitor, member: TeamMember, refusal: Refusal | None = None) -> Response:
    """Say what ends with the membership, before anything does; leaving by oneself has a page of its own."""
    if member.user_id == viewer.user.user_id:
        return redirect(request, "/team/leave")
    node: Node = request.app.state.node
    ends = await node.view(access_of_member, active_team(viewer).team_id, member.user_id, node.now())
    return render_form(request, "member_remove.html", viewer, refusal, member=member, ends=ends, back=LIST)
