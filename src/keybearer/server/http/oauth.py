"""The endpoints that OAuth clients call directly, and what they share: form, client authentication, errors."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server.http import introspection, metadata
from keybearer.server.http.answers import empty_answer
from keybearer.server.http.bare_doors import BareDoor
from keybearer.server.http.caller import CHALLENGE, Caller
from keybearer.server.http.edge import note_refusal
from keybearer.server.http.errors import oauth_error
from keybearer.server.http.forms import Form, read_oauth_form
from keybearer.server.http.revocation import RevocationEndpoint
from keybearer.server.http.token import TokenEndpoint
from keybearer.server.node import Node
from keybearer.server.records import Client
from keybearer.server.refusals import Refusal

# An app that runs in a browser has no secret, so a page of any origin may ask: what protects it is the code's verifier,
# not the origin, and cookies play no part here (no Allow-Credentials, and no Authorization among the headers).
_CORS: Final = {"access-control-allow-origin": "*"}
_PREFLIGHT: Final = {
    **_CORS,
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "Content-Type",
    "access-control-max-age": "86400",
}

Answer = Callable[[Request, Client, Form], Awaitable[Response]]
Note = Callable[[Request, Form], None]


def routes(node: Node) -> list[BaseRoute]:
    """Return the token, revocation, introspection and metadata doors."""
    caller, token = Caller(node), TokenEndpoint(node)
    return [
        _door("/oauth/token", caller, token.answer, token.note),
        _door("/oauth/revoke", caller, RevocationEndpoint(node).answer),
        *introspection.routes(node, caller),
        *metadata.routes(node),
    ]


def _nothing(_request: Request, _form: Form) -> None:
    """Have the log say no more of a form than of any request."""


def _door(path: str, caller: Caller, answer: Answer, note: Note = _nothing) -> BareDoor:
    """
    Return a door that reads a form, authenticates its client, and says no in OAuth's words.

    Args:
        note: what the log says of the form, also where its client does not authenticate.
    """

    async def handle(request: Request) -> Response:
        if request.method == "OPTIONS":
            return empty_answer(204, _PREFLIGHT)
        try:
            form = await read_oauth_form(request)
            note(request, form)
            answered = await answer(request, await caller.of(request, form), form)
        except Refusal as refusal:
            note_refusal(request, refusal)
            answered = oauth_error(refusal, CHALLENGE if refusal.code == "invalid_client" else "")
        answered.headers.update(_CORS)
        return answered

    return BareDoor(path, handle, methods=["POST", "OPTIONS"])
