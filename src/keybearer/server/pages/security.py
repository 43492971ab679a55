"""``/settings/security``: the password, where one is signed in, and the latest sign-ins and wrong passwords."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server import refusals, secrets
from keybearer.server.actions.change_password import NewPassword, change_password
from keybearer.server.actions.end_other_sessions import end_other_sessions
from keybearer.server.actions.end_session import end_session
from keybearer.server.clock import SECOND
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import Form, read_form
from keybearer.server.node import Node
from keybearer.server.pages.cookies import DEVICE, DEVICE_S, SESSION, read_cookie, set_cookie
from keybearer.server.pages.doors import page
from keybearer.server.pages.password_check import check_typed_password
from keybearer.server.pages.render import redirect, render_form
from keybearer.server.pages.session import Visitor, visitor
from keybearer.server.reads.account import own_sessions
from keybearer.server.reads.activity import recent_sign_ins
from keybearer.server.records import Session
from keybearer.server.refusals import Refusal

_HERE: Final = "/settings/security"


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of the page, of changing the password and of ending sessions."""
    return [
        page(_HERE, get=_show),
        page(f"{_HERE}/password", get=_back, post=_change),
        page(f"{_HERE}/sessions/end", get=_back, post=_end),
        page(f"{_HERE}/sessions/end-others", get=_back, post=_end_others),
    ]


async def _show(request: Request) -> Response:
    return await _page(request, await visitor(request))


async def _back(request: Request) -> Response:
    """Show the page to whoever comes back from signing in to something that is only posted."""
    return redirect(request, _HERE)


async def _change(request: Request) -> Response:
    """Change the password; the present one is asked for and, when wrong, counted as at the sign-in."""
    viewer = await visitor(request)
    form = await read_form(request)
    try:
        return await _change_to(request, viewer, form)
    except Refusal as refusal:
        return await _page(request, viewer, _in_the_form(refusal), is_revoking=form.text("revoke") == "yes")


async def _change_to(request: Request, viewer: Visitor, form: Form) -> Response:
    node: Node = request.app.state.node
    form.demand_only("email", "current_password", "password", "password_again", "revoke")
    user_id, chosen = viewer.user.user_id, form.one("password")
    _check_typing(form)
    node.passwords.check(chosen, (viewer.user.email, viewer.user.name, node.settings.product_name), "password")
    attempt = await check_typed_password(request, viewer.user.email, form.one("current_password"))
    cookie, device = secrets.random_secret(), read_cookie(node, request, DEVICE) or secrets.random_secret()
    new = NewPassword(
        password_hash=await node.passwords.hash(chosen),
        session=viewer.session,
        digest=secrets.digest(cookie),
        device=device,
        ends_grants=form.maybe("revoke") == "yes",
    )
    now = node.now()
    ended = await node.act(change_password, actor_of(request, user_id=user_id), attempt, new, now)
    answer = redirect(request, _HERE, _changed(ended, is_revoking=new.ends_grants))
    set_cookie(node, answer, SESSION, cookie, (viewer.session.expires_at - now) // SECOND)
    set_cookie(node, answer, DEVICE, device, DEVICE_S)
    return answer


def _check_typing(form: Form) -> None:
    """
    Refuse a form in which something is missing or was mistyped; no password is looked at for that.

    Raises:
        Refusal: ``invalid``, for each field.
    """
    wrong = []
    if not form.one("current_password"):
        wrong.append(refusals.invalid("current_password", "Enter your current password."))
    if form.one("password_again") != form.one("password"):
        wrong.append(refusals.invalid("password_again", "This is not the same password as above. Type both again."))
    if form.one("password") == form.one("current_password") != "":
        wrong.append(refusals.invalid("password", "This is your current password. Choose another one."))
    if wrong:
        raise refusals.all_invalid(wrong)


def _in_the_form(refusal: Refusal) -> Refusal:
    """Name the field of a wrong password; the address is not in question here."""
    if refusal.code != "unauthenticated":
        return refusal
    return refusals.invalid("current_password", "This is not your current password.", refusal.detail)


def _changed(ended: int, *, is_revoking: bool) -> str:
    changed = "Your password is changed, and you are signed out everywhere else."
    if not is_revoking:
        return f"{changed} Tokens and apps go on working."
    what = "1 token or app was cut off" if ended == 1 else f"{ended} tokens and apps were cut off"
    return f"{changed} {what}."


async def _end(request: Request) -> Response:
    """Sign one browser out; this one is then sent to the sign-in page."""
    node: Node = request.app.state.node
    viewer = await visitor(request)
    form = await read_form(request)
    form.demand_only("session")
    session_id = form.one("session")
    if session_id in {session.session_id for session in await _sessions(request, viewer)}:  # else it may be anything
        user_id = viewer.user.user_id
        await node.act(end_session, actor_of(request, user_id=user_id), session_id, user_id, node.now())
    return redirect(request, _HERE, "That browser is signed out.")


async def _end_others(request: Request) -> Response:
    node: Node = request.app.state.node
    viewer = await visitor(request)
    (await read_form(request)).demand_only()
    actor = actor_of(request, user_id=viewer.user.user_id)
    await node.act(end_other_sessions, actor, viewer.session, node.now())
    return redirect(request, _HERE, "You are signed out everywhere else.")


async def _sessions(request: Request, viewer: Visitor) -> tuple[Session, ...]:
    node: Node = request.app.state.node
    now = node.now()
    idle_since = now - node.settings.session_idle_ttl * SECOND
    return await node.view(own_sessions, viewer.user.user_id, now, idle_since)


async def _page(
    request: Request, viewer: Visitor, refusal: Refusal | None = None, *, is_revoking: bool = False
) -> Response:
    """Return the page; no password that was typed is in it."""
    here = viewer.session.session_id
    found = await _sessions(request, viewer)
    node: Node = request.app.state.node
    return render_form(
        request,
        "security.html",
        viewer,
        refusal,
        sessions=sorted(found, key=lambda session: session.session_id != here),
        recent=await node.view(recent_sign_ins, viewer.user.user_id),
        is_revoking=is_revoking,
    )
