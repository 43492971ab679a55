"""The Authorization header of an API call: whose token it carries, or 401."""

from typing import Final

from starlette.requests import Request

from keybearer.server.http.edge import note_actor
from keybearer.server.node import Node
from keybearer.server.refusals import Refusal
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.principal import Principal

_REALM: Final = 'Bearer realm="api"'


def bearer_text(request: Request) -> str | None:
    """
    Return the text behind the ``Bearer`` scheme; None if there is no such header, or more than one.

    The header alone counts: a token in a query, a form or a cookie is never looked at.

    Source: RFC 6750 §2.1; RFC 9110 §11.1 (the scheme is case-insensitive).
    """
    values = request.headers.getlist("authorization")
    if len(values) != 1:
        return None
    scheme, _, text = values[0].partition(" ")
    return text if scheme.lower() == "bearer" and text else None


async def caller_of(node: Node, request: Request) -> Principal:
    """
    Return who calls.

    Raises:
        Refusal: ``unauthenticated``; its detail tells why, the answer does not.
    """
    text = bearer_text(request)
    if text is None:
        denial: Principal | Denial = Denial(Reason.MISSING)
    else:
        now = node.now()
        denial = await node.bearers.bearer(text, now)
    if isinstance(denial, Denial):
        note_actor(request, denied=denial.reason.value, token_last4=denial.last4)
        raise Refusal("unauthenticated", "Unauthenticated.", denial.reason.value)
    note_actor(request, user=denial.user_id, team=denial.team_id, token_last4=denial.token_last4)
    node.last_used.note(denial.token_id, now)
    return denial


def challenge(refusal: Refusal) -> str:
    """
    Return the ``WWW-Authenticate`` value that goes with a 401.

    Source: RFC 6750 §3 (no error code where the request carried no credentials at all).
    """
    if refusal.detail == Reason.MISSING.value:
        return _REALM
    return f'{_REALM}, error="invalid_token", error_description="The token is not accepted."'
