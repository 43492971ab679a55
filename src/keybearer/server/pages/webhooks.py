"""``/team/webhooks``: where the active team's events are sent, and adding such a place."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.create_webhook import WebhookPolicy, create_webhook
from keybearer.server.http.edge import actor_of
from keybearer.server.http.errors import status_of
from keybearer.server.http.forms import Form, read_form
from keybearer.server.node import Node
from keybearer.server.pages.doors import page
from keybearer.server.pages.render import errors_of, keep_to_fields, render
from keybearer.server.pages.session import Visitor, active_team, require_permission, require_recent, team_of, visitor
from keybearer.server.reads.webhooks import offered_events, team_webhooks
from keybearer.server.records import Team
from keybearer.server.refusals import Refusal
from keybearer.server.roles import TEAM_MANAGE
from keybearer.server.webhooks.changes import TypedWebhook

LIST: Final = "/team/webhooks"


def routes(_: Node) -> list[BaseRoute]:
    """Return the doors of the list and of the page that creates."""
    return [page(LIST, get=_show), page(f"{LIST}/new", get=_new, post=_create)]


async def webhook_admin(request: Request) -> Visitor:
    """
    Return who is signed in, if they manage the active team and have given their password lately.

    A webhook hands on what happens in the team, for as long as nobody looks: a browser left open must not be enough.

    Raises:
        SignInNeeded, Refusal: as `visitor`, `require_permission` and `require_recent` do.
    """
    viewer = await visitor(request)
    require_permission(viewer, TEAM_MANAGE)
    require_recent(request, viewer)
    return viewer


async def posted_by_admin(request: Request) -> tuple[Visitor, Form, Team]:
    """
    Return who posted a form that changes webhooks, the form, and the team that it acts in.

    Raises:
        SignInNeeded, Refusal: as `webhook_admin` and `team_of` do.
    """
    viewer = await webhook_admin(request)
    form = await read_form(request)
    return viewer, form, team_of(viewer, form)


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
    viewer = await webhook_admin(request)
    active_team(viewer)
    return _form_page(request, viewer, TypedWebhook("", ()))


async def _create(request: Request) -> Response:
    viewer, form, team = await posted_by_admin(request)
    node: Node = request.app.state.node
    policy = WebhookPolicy(node.webhook_key, node.settings.webhook_private_addresses)
    actor, typed = actor_of(request, user_id=viewer.user.user_id), typed_in(form)
    try:
        form.demand_only("team", "url", "events")
        made = await node.act(create_webhook, actor, team, typed, policy, node.now())
    except Refusal as refusal:
        keep_to_fields(request, refusal)
        return _form_page(request, viewer, typed, refusal)
    return render(request, "webhook_created.html", viewer, made=made)


def _form_page(request: Request, viewer: Visitor, typed: TypedWebhook, refusal: Refusal | None = None) -> Response:
    """Return the page with what was typed."""
    return render(
        request,
        "webhook_new.html",
        viewer,
        status_of(refusal) if refusal else 200,
        typed=typed,
        choices=offered_events(),
        errors=errors_of(refusal) if refusal else {},
    )
