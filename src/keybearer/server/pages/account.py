"""``/settings/account``: a person's name and email address."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.accounts.profile_changes import ProfileChange
from keybearer.server.actions.activate_verification import activate_verification
from keybearer.server.actions.request_email_change import request_email_change
from keybearer.server.actions.request_email_verification import request_email_verification
from keybearer.server.actions.update_profile import update_profile
from keybearer.server.actions.withdraw_email_change import withdraw_email_change
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import read_form
from keybearer.server.mail.letters import Letters
from keybearer.server.node import Node
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.render import redirect, render_form
from keybearer.server.pages.session import Visitor, is_recent, require_recent, visitor
from keybearer.server.reads.account import waiting_address
from keybearer.server.refusals import Refusal

_HERE: Final = "/settings/account"
_ADDRESS: Final = f"{_HERE}/address"


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of the page and of what can be done with the address."""
    return [
        page(_HERE, get=_show, post=_rename, keeps=("name",)),
        page(_ADDRESS, get=_back, post=_change_address, keeps=("email",)),
        page(f"{_ADDRESS}/withdraw", get=_back, post=_withdraw),
        page(f"{_ADDRESS}/prove", get=_back, post=_prove),
    ]


async def _show(request: Request) -> Response:
    viewer = await visitor(request)
    name, address = kept_form(request, viewer), kept_form(request, viewer, _ADDRESS)
    return await _page(request, viewer, name=name.maybe("name"), email=address.text("email"))


async def _back(request: Request) -> Response:
    """Show the page to whoever comes back from signing in to something that is only posted."""
    return redirect(request, _HERE)


async def _rename(request: Request) -> Response:
    node: Node = request.app.state.node
    viewer = await visitor(request)
    user_id = viewer.user.user_id
    form = await read_form(request)
    try:
        form.demand_only("name")
        change = ProfileChange(form.one("name"), None)
        await node.act(update_profile, actor_of(request, user_id=user_id), user_id, change, None, node.now())
    except Refusal as refusal:
        return await _page(request, viewer, refusal, name=form.text("name"))
    return redirect(request, _HERE, "Your name is changed.")


async def _change_address(request: Request) -> Response:
    """Mail the present address a link; only when that is followed does the new address count."""
    node: Node = request.app.state.node
    viewer = await visitor(request)
    require_recent(request, viewer)
    user_id = viewer.user.user_id
    form = await read_form(request)
    try:
        form.demand_only("email")
        change = ProfileChange(None, form.one("email"))
        asked = await node.act(request_email_change, user_id, change, node.now())
        if asked is None:
            return redirect(request, _HERE, "That is your email address already.")
        await node.mailer.send(Letters(node.settings).address_asked(asked))
        await node.act(update_profile, actor_of(request, user_id=user_id), user_id, change, asked, node.now())
    except Refusal as refusal:
        return await _page(request, viewer, refusal, email=form.text("email"))
    return redirect(request, _HERE, f"A mail is on its way to {asked.present}. Follow the link in it.")


async def _withdraw(request: Request) -> Response:
    node: Node = request.app.state.node
    viewer = await visitor(request)
    (await read_form(request)).demand_only()
    user_id = viewer.user.user_id
    await node.act(withdraw_email_change, actor_of(request, user_id=user_id), user_id, node.now())
    return redirect(request, _HERE, "Your email address stays as it is.")


async def _prove(request: Request) -> Response:
    """Mail the present address a link that shows whose it is."""
    node: Node = request.app.state.node
    viewer = await visitor(request)
    user_id = viewer.user.user_id
    try:
        (await read_form(request)).demand_only()
        made = await node.act(request_email_verification, user_id, node.now())
        if made is None:
            return redirect(request, _HERE, "Your email address is confirmed already.")
        await node.mailer.send(Letters(node.settings).address_to_prove(*made))
        await node.act(activate_verification, user_id, made[1], node.now())
    except Refusal as refusal:
        return await _page(request, viewer, refusal)
    return redirect(request, _HERE, f"A mail is on its way to {viewer.user.email}. Follow the link in it.")


async def _page(
    request: Request, viewer: Visitor, refusal: Refusal | None = None, *, name: str | None = None, email: str = ""
) -> Response:
    """Return the page with what was typed."""
    node: Node = request.app.state.node
    return render_form(
        request,
        "account.html",
        viewer,
        refusal,
        name=viewer.user.name if name is None else name,
        email=email,
        waiting=await node.view(waiting_address, viewer.user.user_id, node.now()),
        is_recent=is_recent(request, viewer),
    )
