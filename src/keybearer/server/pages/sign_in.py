"""``/login``: signing in, and giving the password again before something that matters."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server import secrets
from keybearer.server.actions.confirm_identity import confirm_identity
from keybearer.server.actions.sign_in import NewSession, sign_in
from keybearer.server.clock import SECOND
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import Form, read_form, read_query
from keybearer.server.node import Node
from keybearer.server.pages.cookies import DEVICE, DEVICE_S, SESSION, read_cookie, set_cookie
from keybearer.server.pages.doors import page
from keybearer.server.pages.password_check import check_typed_password
from keybearer.server.pages.render import redirect, render_form
from keybearer.server.pages.return_path import return_path
from keybearer.server.pages.session import Visitor, maybe_visitor
from keybearer.server.records import PasswordAttempt
from keybearer.server.refusals import Refusal


def routes(_: Node) -> list[BaseRoute]:
    """Return the door of the sign-in page, and the way in from the address without a path."""
    return [page("/", get=_home), page("/login", get=_show, post=_take)]


async def _home(request: Request) -> Response:
    return redirect(request, "/settings/tokens" if await maybe_visitor(request) else "/login")


async def _show(request: Request) -> Response:
    asked = read_query(request)
    visitor = await maybe_visitor(request)
    if asked.text("another") == "1":
        return _page(request, None, asked)  # whoever is signed in stays so until somebody else is
    if visitor is not None and asked.text("confirm") != "1":
        return redirect(request, return_path(asked.text("next")))
    return _page(request, visitor, asked)


async def _take(request: Request) -> Response:
    form = await read_form(request)
    visitor = await maybe_visitor(request) if form.text("confirm") == "1" else None
    email, password = form.maybe("email") or "", form.maybe("password") or ""  # none of them twice: which one counts?
    email = visitor.user.email if visitor else email
    try:
        form.demand_only("email", "password", "next", "confirm", "unsent")
        _demand_both(email, password)
        attempt = await check_typed_password(request, email, password)
        return await (_go_on(request, visitor, attempt, form) if visitor else _enter(request, attempt, form))
    except Refusal as refusal:
        return _page(request, visitor, form, refusal)


def _demand_both(email: str, password: str) -> None:
    """Refuse an empty field before anything is counted."""
    if not email.strip() or not password:
        raise Refusal("invalid", "Enter your address and your password.", "sign-in: empty field")


async def _enter(request: Request, attempt: PasswordAttempt, form: Form) -> Response:
    """Begin a session, and send the person where they wanted to go."""
    node: Node = request.app.state.node
    now = node.now()
    cookie, device = secrets.random_secret(), read_cookie(node, request, DEVICE) or secrets.random_secret()
    new = NewSession(
        digest=secrets.digest(cookie),
        device=device,
        old_cookie=read_cookie(node, request, SESSION),
        expires_at=now + node.settings.session_ttl * SECOND,
    )
    user_id = attempt.user.user_id if attempt.user else None
    await node.act(sign_in, actor_of(request, user_id=user_id), attempt, new, now)
    answer = redirect(request, return_path(form.text("next")))
    set_cookie(node, answer, SESSION, cookie, node.settings.session_ttl)
    set_cookie(node, answer, DEVICE, device, DEVICE_S)
    return answer


async def _go_on(request: Request, visitor: Visitor, attempt: PasswordAttempt, form: Form) -> Response:
    """Give the session a new cookie: its password was given just now."""
    node: Node = request.app.state.node
    now = node.now()
    cookie = secrets.random_secret()
    actor = actor_of(request, user_id=visitor.user.user_id)
    await node.act(confirm_identity, actor, attempt, visitor.session, secrets.digest(cookie), now)
    answer = redirect(request, return_path(form.text("next")))
    set_cookie(node, answer, SESSION, cookie, (visitor.session.expires_at - now) // SECOND)
    return answer


def _page(request: Request, visitor: Visitor | None, form: Form, refusal: Refusal | None = None) -> Response:
    """Return the page with what was typed, the password excepted."""
    return render_form(
        request,
        "sign_in.html",
        visitor,
        refusal,
        email=visitor.user.email if visitor else form.text("email"),
        next=return_path(form.text("next")),
        unsent=form.text("unsent"),
    )
