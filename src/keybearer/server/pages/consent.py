"""The consent page: an app asks, a person decides."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server import refusals
from keybearer.server.actions.decide_consent import Answered, Decision, decide_consent
from keybearer.server.actions.start_authorization import start_authorization
from keybearer.server.clock import DAY, MINUTE
from keybearer.server.http.authorization_answer import answer_address, host_of, is_on_this_device, policy_place
from keybearer.server.http.edge import actor_of, note_in_log, note_refusal, policy_for_forms_to
from keybearer.server.http.forms import Form, query_of, read_form, read_query
from keybearer.server.issuing import terms_of
from keybearer.server.node import Node
from keybearer.server.numbers import number_in
from keybearer.server.pages.doors import page
from keybearer.server.pages.render import render
from keybearer.server.pages.session import SignInNeeded, Visitor, maybe_visitor
from keybearer.server.reads.authorize_request import NAMES, Examined, examine
from keybearer.server.reads.consent import Wanted, consent
from keybearer.server.refusals import Refusal

# After `prompt=login` the browser comes back with the same request; this is how long ago the password may have been
# given to count as given for it.
_JUST_NOW: Final = MINUTE


def routes(_: Node) -> list[BaseRoute]:
    """Return the door to the authorization endpoint."""
    return [page("/oauth/authorize", get=_ask, post=_decide)]


async def _ask(request: Request) -> Response:
    """Show who asks for what; or tell the app, at its registered address, what is wrong with its request."""
    node: Node = request.app.state.node
    fields = read_query(request).each_once()
    examined = await node.view(
        examine, {name: fields.maybe(name) for name in NAMES}, frozenset(node.settings.permissions)
    )
    note_in_log(request, client=examined.client.client_id)
    visitor = await maybe_visitor(request)
    if visitor is None:
        return _nobody_is_signed_in(request, examined)
    if refusal := examined.refusal or _silent(examined, "consent_required", "The user has to be asked."):
        # Browsers hold a sign-in form to its own site, redirects included: from there, a link goes on to the app.
        is_from_our_form = request.headers.get("sec-fetch-site") == "same-origin"
        return _tell(request, examined, refusal, may_redirect=not is_from_our_form)
    if "login" in examined.prompts and node.now() - visitor.authenticated_at > _JUST_NOW:
        raise SignInNeeded(is_confirmation=True)
    return await _show(request, examined, visitor)


def _nobody_is_signed_in(request: Request, examined: Examined) -> Response:
    """
    Have the person sign in first, whatever is wrong with the request; only ``prompt=none`` is answered at once.

    Source: RFC 9700 §4.11.2: no automatic redirect before the user is known, unless the app's address is trusted; here
    an app is trusted once somebody has let it in.
    """
    if "none" not in examined.prompts:
        raise SignInNeeded(is_confirmation=False)
    refusal = examined.refusal or _silent(examined, "login_required", "The user has to sign in.")
    assert refusal is not None  # noqa: S101 - prompt=none was asked for
    return _tell(request, examined, refusal, may_redirect=examined.is_trusted)


def _silent(examined: Examined, code: str, public: str) -> Refusal | None:
    """Return the refusal of a request that wants an answer without anybody being asked (OIDC Core §3.1.2.6)."""
    return Refusal(code, public, f"prompt=none: {code}") if "none" in examined.prompts else None


def _tell(request: Request, examined: Examined, refusal: Refusal, *, may_redirect: bool) -> Response:
    """Send the browser to the app with a refusal; or show the person where it would go, and let them go there."""
    note_refusal(request, refusal)
    node: Node = request.app.state.node
    answered = Answered(examined.redirect_uri, examined.state, None, refusal)
    address = answer_address(answered, node.settings.issuer)
    if may_redirect:
        return Response(None, 303, {"location": address})
    return render(
        request,
        "consent_refused.html",
        None,
        400,
        client=examined.client,
        host=host_of(examined.redirect_uri),
        stays_here=is_on_this_device(examined.redirect_uri),
        message=refusal.public,
        address=address,
    )


async def _show(request: Request, examined: Examined, visitor: Visitor) -> Response:
    """Keep the request, and ask."""
    node: Node = request.app.state.node
    now = node.now()
    text = await node.act(start_authorization, examined, visitor.session.session_id, now)
    wanted = Wanted(
        examined.client, examined.narrowing, examined.scope, visitor.user.user_id, node.settings.product_name
    )
    asked = await node.view(consent, wanted, visitor.places, node.role_permissions, now)
    fitting = [choice.team.team_id for choice in asked.choices]
    active = visitor.team.team_id if visitor.team else None
    lifetimes = terms_of(node.settings).lifetimes
    answer = render(
        request,
        "consent.html",
        visitor,
        200,
        asked=asked,
        chosen=active if active in fitting else next(iter(fitting), None),
        text=text,
        host=host_of(examined.redirect_uri),
        here=f"/oauth/authorize?{query_of(request)}",
        stays_here=is_on_this_device(examined.redirect_uri),
        words=node.settings.permissions,
        idle_days=lifetimes.refresh_idle // DAY,
        ends_at=now + lifetimes.refresh_token,
    )
    answer.headers["content-security-policy"] = policy_for_forms_to(policy_place(examined.redirect_uri))
    return answer


async def _decide(request: Request) -> Response:
    """Carry out what the person decided, and send the browser back to the app."""
    node: Node = request.app.state.node
    visitor = await maybe_visitor(request)
    if visitor is None:
        public = "You are no longer signed in, so nothing was decided. Go back to the app and start again."
        raise Refusal("not_waiting", public, "consent without a session")
    form = (await read_form(request)).each_once()
    form.demand_only("request", "team", "decision")
    session_id, user_id = visitor.session.session_id, visitor.user.user_id
    decision = Decision(form.one("request"), session_id, user_id, _team_of(form))
    actor = actor_of(request, user_id=user_id)
    answered = await node.act(decide_consent, actor, decision, terms_of(node.settings), node.now())
    return Response(None, 303, {"location": answer_address(answered, node.settings.issuer)})


def _team_of(form: Form) -> int | None:
    """Return the team that the app is let into; None if it is not let in."""
    decision = form.one("decision")
    if decision == "deny":
        return None
    team_id = number_in(form.maybe("team") or "")
    if decision != "allow" or team_id is None:
        raise refusals.invalid_request("Choose a team, and press one of the two buttons.", "decision or team unclear")
    return team_id
