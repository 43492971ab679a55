"""``/mail-link/…``: what a mailed link leads to; looking at it asks, only the button acts."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.accounts.mailed_links import CHANGE_EMAIL
from keybearer.server.actions.confirm_email_change import confirm_email_change
from keybearer.server.actions.verify_email import verify_email
from keybearer.server.http.edge import actor_of, note_refusal
from keybearer.server.http.forms import read_form
from keybearer.server.mail.letters import Letters
from keybearer.server.node import Node
from keybearer.server.pages.doors import page
from keybearer.server.pages.render import redirect, render
from keybearer.server.reads.account import waiting_link
from keybearer.server.refusals import Refusal, not_found


def routes(_: Node) -> list[BaseRoute]:
    """Return the door of mailed links."""
    return [page("/mail-link/{text}", get=_show, post=_take)]


async def _show(request: Request) -> Response:
    """
    Ask; nothing is done yet, because programs that look through mail follow every link in it.

    Nobody needs to be signed in: the link is the proof, and mail is often read on another device.
    """
    node: Node = request.app.state.node
    link = await node.view(waiting_link, request.path_params["text"], node.now())
    if link is None:
        return _over(request, not_found("mailed link unknown, used, ended or expired"))
    return render(request, "mail_link.html", None, 200, link=link, is_change=link.purpose == CHANGE_EMAIL)


async def _take(request: Request) -> Response:
    (await read_form(request)).demand_only()
    node: Node = request.app.state.node
    text = request.path_params["text"]
    link = await node.view(waiting_link, text, node.now())
    try:
        if link is not None and link.purpose == CHANGE_EMAIL:
            return await _change(request, text)
        email = await node.act(verify_email, actor_of(request), text, node.now())
    except Refusal as refusal:
        if refusal.code != "not_found":
            raise
        return _over(request, refusal)
    return redirect(request, "/settings/account", f"{email} is confirmed.")


async def _change(request: Request, text: str) -> Response:
    """Put the new address in force, and write to it; the change stands even if that mail cannot be sent."""
    node: Node = request.app.state.node
    changed = await node.act(confirm_email_change, actor_of(request), text, node.now())
    notice = f"Your email address is now {changed.email}. Sign in with it from now on."
    try:
        await node.mailer.send(Letters(node.settings).address_to_prove(changed.email, changed.link))
    except Refusal as refusal:
        note_refusal(request, refusal)
    return redirect(request, "/settings/account", notice)


def _over(request: Request, refusal: Refusal) -> Response:
    """Say that the link does nothing any more, whatever the reason."""
    note_refusal(request, refusal)
    return render(request, "mail_link_over.html", None, 404)
