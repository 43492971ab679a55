"""``/settings/tokens/new``: making a personal token, whose text is then shown once."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.actions.create_personal_token import (
    AskedToken,
    NewToken,
    TokenPolicy,
    create_personal_token,
)
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import Form, read_form, read_query
from keybearer.server.issuing import terms_of
from keybearer.server.node import Node
from keybearer.server.pages.doors import page
from keybearer.server.pages.kept_forms import kept_form
from keybearer.server.pages.permission_rows import permission_rows
from keybearer.server.pages.render import keep_to_fields, render, render_form
from keybearer.server.pages.session import Visitor, require_recent, team_of, visitor
from keybearer.server.pages.tokens import listed_tokens
from keybearer.server.reads.lifetimes import linked_lifetime, offered_lifetimes
from keybearer.server.refusals import Refusal

_PATH: Final = "/settings/tokens/new"
_FIELDS: Final = ("team", "name", "lifetime", "expires_on", "narrowing", "permissions")


@dataclass(frozen=True, slots=True)
class _Filled:
    """The form as it is filled in; ``beyond`` are the permissions that a link asked for and the role does not give."""

    name: str = ""
    lifetime: str = ""
    expires_on: str = ""
    narrowing: str = "none"
    permissions: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()


def routes(_: Node) -> list[BaseRoute]:
    """Return the door of the page."""
    return [page(_PATH, get=_show, post=_take, keeps=_FIELDS)]


async def _show(request: Request) -> Response:
    viewer = await visitor(request)
    require_recent(request, viewer)
    typed = kept_form(request, viewer)
    return _page(request, viewer, _from_form(typed) if typed.pairs else _from_link(request, viewer))


async def _take(request: Request) -> Response:
    viewer = await visitor(request)
    require_recent(request, viewer)
    form = await read_form(request)
    team = team_of(viewer, form)
    filled = _from_form(form)
    asked = AskedToken(
        user_id=viewer.user.user_id,
        team_id=team.team_id,
        name=filled.name,
        lifetime=filled.lifetime,
        expires_on=filled.expires_on,
        narrowing=filled.narrowing,
        permissions=filled.permissions,
    )
    node: Node = request.app.state.node
    policy = TokenPolicy(node.settings.token_prefix, _longest(node), node.role_permissions)
    actor = actor_of(request, user_id=viewer.user.user_id)
    try:
        form.demand_only(*_FIELDS)
        made = await node.act(create_personal_token, actor, asked, policy, node.now())
    except Refusal as refusal:
        keep_to_fields(refusal)
        return _page(request, viewer, filled, refusal)
    return await _hand_over(request, viewer, made)


async def _hand_over(request: Request, viewer: Visitor, made: NewToken) -> Response:
    """Show the text, once: it is in this answer and nowhere else."""
    node: Node = request.app.state.node
    listed = await listed_tokens(node, viewer.user.user_id)
    return render(request, "token_created.html", viewer, made=made, **listed)


def _page(request: Request, viewer: Visitor, filled: _Filled, refusal: Refusal | None = None) -> Response:
    """Return the form with what was typed or chosen in it."""
    node: Node = request.app.state.node
    return render_form(
        request,
        "token_new.html",
        viewer,
        refusal,
        filled=filled,
        lifetimes=offered_lifetimes(node.now(), _longest(node)),
        resources=permission_rows(node.settings.permissions, viewer.permissions),
    )


def _from_link(request: Request, viewer: Visitor) -> _Filled:
    """
    Fill the form in as the link says (``?name=&expires=&permissions=``); it is never sent without a person's press.

    A link that names permissions narrows, even if the role gives none of them: it can never widen.
    """
    node: Node = request.app.state.node
    link = read_query(request)
    lifetime, day = linked_lifetime(link.text("expires"), node.now(), _longest(node))
    named = link.all("permissions")
    words = dict.fromkeys(" ".join(named).replace(",", " ").split())
    return _Filled(
        name=link.text("name"),
        lifetime=lifetime,
        expires_on=day,
        narrowing="scope" if named else "none",
        permissions=tuple(word for word in words if word in viewer.permissions),
        beyond=tuple(word for word in words if word not in viewer.permissions),
    )


def _from_form(form: Form) -> _Filled:
    return _Filled(
        name=form.text("name"),
        lifetime=form.text("lifetime"),
        expires_on=form.text("expires_on"),
        narrowing=form.text("narrowing") or "none",
        permissions=tuple(form.all("permissions")),
    )


def _longest(node: Node) -> int:
    """Return how long a token may live, in microseconds."""
    return terms_of(node.settings).lifetimes.personal_token
