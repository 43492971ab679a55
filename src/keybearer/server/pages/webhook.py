"""``/team/webhooks/{webhook_id}``: one webhook, what it was sent, and everything that can be done with it."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.delete_webhook import delete_webhook
from keybearer.server.actions.resend_delivery import Named, resend_delivery
from keybearer.server.actions.rotate_webhook_secret import WebhookRotation, rotate_webhook_secret
from keybearer.server.actions.switch_on_webhook import switch_on_webhook
from keybearer.server.actions.try_webhook import try_webhook
from keybearer.server.actions.update_webhook import WebhookChange, update_webhook
from keybearer.server.http.edge import actor_of
from keybearer.server.node import Node
from keybearer.server.pages.confirming import is_confirmed
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.pager import paging_of, turn_of
from keybearer.server.pages.render import keep_to_fields, redirect, render, render_form
from keybearer.server.pages.session import (
    Visitor,
    active_team,
    confirmed_visitor,
    posted_by,
    require_permission,
    visitor,
)
from keybearer.server.pages.webhooks import FIELDS, LIST, typed_in
from keybearer.server.reads.lifetimes import offered_overlaps
from keybearer.server.reads.webhooks import host_of, offered_events, one_webhook, webhook_details
from keybearer.server.records import Webhook
from keybearer.server.refusals import Refusal
from keybearer.server.roles import TEAM_MANAGE
from keybearer.server.webhooks.changes import TypedWebhook
from keybearer.server.webhooks.egress import TROUBLES

_ONE: Final = f"{LIST}/{{webhook_id}}"


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of one webhook."""
    return [
        page(_ONE, get=_show, post=_update, keeps=FIELDS),
        page(f"{_ONE}/rotate", get=_back, post=_rotate),
        page(f"{_ONE}/test", get=_back, post=_test),
        page(f"{_ONE}/switch-on", get=_back, post=_switch_on),
        page(f"{_ONE}/deliveries/{{delivery_id}}/resend", get=_back, post=_resend),
        page(f"{_ONE}/delete", get=_ask, post=_delete),
    ]


async def _show(request: Request) -> Response:
    viewer = await visitor(request)
    require_permission(viewer, TEAM_MANAGE)
    typed = kept_form(request, viewer)
    return await _webhook_page(request, viewer, None, typed_in(typed) if typed.pairs else None)


async def _back(request: Request) -> Response:
    """Lead to the webhook's page: whoever had to give their password comes here, their form left behind."""
    viewer = await visitor(request)
    require_permission(viewer, TEAM_MANAGE)
    webhook = await _webhook(request, viewer)
    return redirect(request, _address(webhook))


async def _update(request: Request) -> Response:
    viewer, form, team = await posted_by(request, TEAM_MANAGE)
    node: Node = request.app.state.node
    typed, webhook_id = typed_in(form), request.path_params["webhook_id"]
    change = WebhookChange(typed, node.settings.webhook_private_addresses)
    actor = actor_of(request, user_id=viewer.user.user_id)
    try:
        form.demand_only(*FIELDS)
        webhook = await node.act(update_webhook, actor, team, webhook_id, change, node.now())
    except Refusal as refusal:
        return await _webhook_page(request, viewer, refusal, typed)
    return redirect(request, _address(webhook), f"The changes to {host_of(webhook.url)} are saved.")


async def _rotate(request: Request) -> Response:
    viewer, form, team = await posted_by(request, TEAM_MANAGE)
    node: Node = request.app.state.node
    now, webhook_id = node.now(), request.path_params["webhook_id"]
    rotation = WebhookRotation(form.maybe("overlap") or "", node.webhook_key)
    actor = actor_of(request, user_id=viewer.user.user_id)
    try:
        form.demand_only("team", "overlap")
        made = await node.act(rotate_webhook_secret, actor, team, webhook_id, rotation, now)
    except Refusal as refusal:
        return await _webhook_page(request, viewer, refusal)
    return render(request, "webhook_secret.html", viewer, made=made, host=host_of(made.webhook.url), shown_at=now)


async def _test(request: Request) -> Response:
    webhook = await _acted(request, try_webhook, request.path_params["webhook_id"])
    return redirect(request, _address(webhook), "A test event is on its way. Reload the page to see how it went.")


async def _switch_on(request: Request) -> Response:
    webhook = await _acted(request, switch_on_webhook, request.path_params["webhook_id"])
    return redirect(request, _address(webhook), f"{host_of(webhook.url)} is switched on. Events are sent again.")


async def _resend(request: Request) -> Response:
    named = Named(request.path_params["webhook_id"], request.path_params["delivery_id"])
    webhook = await _acted(request, resend_delivery, named)
    return redirect(request, _address(webhook), "The event is on its way again. Reload the page to see how it went.")


async def _ask(request: Request) -> Response:
    return await _question(request, await confirmed_visitor(request, TEAM_MANAGE))


async def _delete(request: Request) -> Response:
    viewer, form, team = await posted_by(request, TEAM_MANAGE)
    if not is_confirmed(form, "team"):
        return await _question(request, viewer)
    node: Node = request.app.state.node
    actor = actor_of(request, user_id=viewer.user.user_id)
    webhook = await node.act(delete_webhook, actor, team, request.path_params["webhook_id"], node.now())
    return redirect(request, LIST, f"The webhook is deleted. Nothing more is sent to {host_of(webhook.url)}.")


async def _acted(request: Request, action: Any, meant: object) -> Webhook:
    """Do to a webhook what needs nothing but to be meant, and have the sender look at once."""
    viewer, form, team = await posted_by(request, TEAM_MANAGE)
    form.demand_only("team")
    node: Node = request.app.state.node
    webhook: Webhook = await node.act(action, actor_of(request, user_id=viewer.user.user_id), team, meant, node.now())
    node.webhook_sender.wake()
    return webhook


async def _webhook(request: Request, viewer: Visitor) -> Webhook:
    """Return the webhook that the address names, if it is the active team's."""
    node: Node = request.app.state.node
    return await node.view(one_webhook, request.path_params["webhook_id"], active_team(viewer).team_id)


def _address(webhook: Webhook) -> str:
    return f"{LIST}/{webhook.webhook_id}"


async def _question(request: Request, viewer: Visitor) -> Response:
    """Say what will stop, before anything does."""
    webhook = await _webhook(request, viewer)
    context = {"webhook": webhook, "host": host_of(webhook.url), "back": _address(webhook)}
    return render(request, "webhook_delete.html", viewer, **context)


async def _webhook_page(
    request: Request, viewer: Visitor, refusal: Refusal | None = None, typed: TypedWebhook | None = None
) -> Response:
    """
    Return the webhook's page, with what was typed where a form was wrong.

    Raises:
        Refusal: the one given, unless it is about a field; ``not_found``.
    """
    if refusal is not None:
        keep_to_fields(refusal)
    node: Node = request.app.state.node
    paging, webhook_id = paging_of(request), request.path_params["webhook_id"]
    details = await node.view(webhook_details, webhook_id, active_team(viewer).team_id, paging)
    webhook = details.webhook
    return render_form(
        request,
        "webhook.html",
        viewer,
        refusal,
        webhook=webhook,
        host=details.host,
        deliveries=details.deliveries.items,
        turn=turn_of(paging, details.deliveries.total),
        typed=typed or TypedWebhook(webhook.url, webhook.events.split()),
        choices=offered_events(),
        overlaps=offered_overlaps(),
        troubles=TROUBLES,
    )
