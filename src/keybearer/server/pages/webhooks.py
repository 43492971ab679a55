"""``/team/webhooks``: where the active team's events are sent, and adding such a place."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.create_webhook import WebhookPolicy, create_webhook
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import Form
from keybearer.server.node import Node
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.render import keep_to_fields, render, render_form
from keybearer.server.pages.session import (
    Visitor,
    active_team,
    confirmed_visitor,
    posted_by,
    require_permission,
    visitor,
)
from keybearer.server.reads.webhooks import offered_events, team_webhooks
from keybearer.server.refusals import Refusal
from keybearer.server.roles import TEAM_MANAGE
from keybearer.server.webhooks.changes import TypedWebhook

LIST: Final = "/team/webhooks"
FIELDS: Final = ("team", "url", "events")


def routes(_: Node) -> list[BaseRoute]:
    """
    Return the doors of the list and of the page that creates.

    A webhook hands on what happens in the team, for as long as nobody looks: a browser left open must not be enough, so
    whoever changes one has given their password lately.
    """
    return [page(LIST, get=_show), page(f"{LIST}/new", get=_new, post=_create, keeps=FIELDS)]


def typed_in(form: Form) -> TypedWebhook:
    """Return what was typed and ticked."""
    return TypedWebhook(form.text("url").strip(), tuple(form.all("events")))


async def _show(request: Request) -> Response:
    viewer = await visitor(request)
    require_permission(viewer, TEAM_MANAGE)
    node: Node = request.app.state.node
    rows = await node.view(team_webhooks, active_team(viewer).team_id)
    return render(request, "webhooks.html", viewer, rows=rows)


async def _new(request: Request) -> Response:
    viewer = await confirmed_visitor(request, TEAM_MANAGE)
    return _form_page(request, viewer, typed_in(kept_form(request, viewer)))


async def _create(request: Request) -> Response:
    viewer, form, team = await posted_by(request, TEAM_MANAGE)
    node: Node = request.app.state.node
    policy = WebhookPolicy(node.webhook_key, node.settings.webhook_private_addresses)
    actor, typed = actor_of(request, user_id=viewer.user.user_id), typed_in(form)
    try:
        form.demand_only(*FIELDS)
        made = await node.act(create_webhook, actor, team, typed, policy, node.now())
    except Refusal as refusal:
        keep_to_fields(refusal)
        return _form_page(request, viewer, typed, refusal)
    return render(request, "webhook_created.html", viewer, made=made)


def _form_page(request: Request, viewer: Visitor, typed: TypedWebhook, refusal: Refusal | None = None) -> Response:
    """Return the page with what was typed."""
    return render_form(
        request,
        "webhook_new.html",
        viewer,
        refusal,
        typed=typed,
        choices=offered_events(),
    )
