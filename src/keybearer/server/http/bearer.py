"""The Authorization header of an API call: whose token it carries, or 401."""

from typing import Final

from starlette.requests import Request

from keybearer.server.http.call_record import begin_record
from keybearer.server.http.edge import address_of, note_in_log
from keybearer.server.node import Node
from keybearer.server.refusals import Refusal
from keybearer.wire.denial import Bearer, Denial, Reason
from keybearer.wire.principal import Principal

_REALM: Final = 'Bearer realm="api"'


def bearer_text(request: Request) -> str | None:
    """
    Return the text behind the ``Bearer`` scheme; None if there is no such header, or more than one.

    The header alone counts: a token in a query, a form or a cookie is never looked at.

    Source: RFC 6750 §2.1; RFC 9110 §11.1 (the scheme is case-insensitive).
    """
    values = request.headers.getlist("authorization")
    return bearer_in(values[0]) if len(values) == 1 else None


def bearer_in(value: str) -> str | None:
    """Return the text behind the ``Bearer`` scheme in an Authorization header; None if it is of another scheme."""
    scheme, _, text = value.partition(" ")
    return text if scheme.lower() == "bearer" and text else None


def key_of(request: Request) -> str:
    """
    Return the text behind the ``Bearer`` scheme, which should be a resource server's key.

    Raises:
        Refusal: ``unauthenticated``: there is none.
    """
    text = bearer_text(request)
    if text is None:
        raise Refusal("unauthenticated", "Send a resource server's key as Bearer.", "no key")
    return text


async def caller_of(node: Node, request: Request) -> Principal:
    """
    Return who calls.

    Raises:
        Refusal: ``unauthenticated``; its detail tells why, the answer does not.
    """
    text = bearer_text(request)
    if text is None:
        return admitted(node, request, Denial(Reason.MISSING))
    return admitted(node, request, await node.bearers.bearer(text, node.now(), address_of(request)))


def admitted(node: Node, request: Request, found: Principal | Denial) -> Principal:
    """
    Return who was found, note the use of the token, and begin the record of the call, if the token is known.

    Raises:
        Refusal: ``unauthenticated``: nobody was found; the detail says why, the answer does not. ``unavailable``: the
            call cannot be recorded.
    """
    if isinstance(found, Denial):
        note_in_log(request, denied=found.reason.value, token_last4=found.last4)
        if found.bearer is not None:
            begin_record(node, request, found.bearer)
        raise Refusal("unauthenticated", "Unauthenticated.", found.reason.value)
    bearer = found.bearer  # unpacked once
    note_in_log(request, **noted_of(bearer))
    node.last_used.note(bearer.token_id, node.now())
    begin_record(node, request, bearer)
    return found


def noted_of(bearer: Bearer) -> dict[str, str | int]:
    """Return what a request's line in the log says of whoever acts."""
    return {"user": bearer.user_id, "team": bearer.team_id, "token_last4": bearer.token_last4}


def challenge(refusal: Refusal) -> str:
    """
    Return the ``WWW-Authenticate`` value that goes with a 401.

    Source: RFC 6750 §3 (no error code where the request carried no credentials at all).
    """
    if refusal.detail == Reason.MISSING.value:
        return _REALM
    return f'{_REALM}, error="invalid_token", error_description="The token is not accepted."'
