"""The exception handlers: answers to refusals that no endpoint caught, as JSON or as a page."""

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from keybearer.server.http.bare_doors import Handler
from keybearer.server.http.bearer import challenge
from keybearer.server.http.edge import Teller, note_in_log, note_refusal
from keybearer.server.http.errors import api_error, oauth_error, verifier_error
from keybearer.server.pages.errors import error_page
from keybearer.server.refusals import Refusal, not_found
from keybearer.server.settings import Settings
from keybearer.server.store.faults import OutcomeUnknown, StoreUnavailable

_API: Final = ("/api/", "/openapi.json", "/forward-auth")
_OAUTH: Final = ("/oauth/token", "/oauth/revoke", "/oauth/introspect", "/.well-known/")
_VERIFIER: Final = "/verifier/"
_AT_THE_EDGE: Final = {413: "too_large", 415: "unsupported_media_type", 500: "server_error"}
_STORE_RETRY_S: Final = 2
_AWAY: Final = "The service cannot be reached right now. Try again in a moment."
_IN_DOUBT: Final = "It is not known whether this was done. Look before you try again."


def handlers(settings: Settings) -> dict[Any, Handler]:
    """Return Starlette's exception handlers: for our refusals, the router's own errors and a store that is away."""

    async def refused(request: Request, refusal: Refusal) -> Response:
        note_refusal(request, refusal)
        return await _answer(request, refusal, settings)

    async def router_said(request: Request, error: HTTPException) -> Response:
        answer = await _answer(request, _from_router(error), settings)
        answer.status_code = error.status_code
        answer.headers.update(error.headers or {})
        return answer

    async def store_is_away(request: Request, fault: StoreUnavailable) -> Response:
        public = _IN_DOUBT if isinstance(fault, OutcomeUnknown) else _AWAY
        note_in_log(request, fault=type(fault).__name__, why=str(fault))
        refusal = Refusal("unavailable", public, type(fault).__name__, "", _STORE_RETRY_S)
        return await _answer(request, refusal, settings)

    return {Refusal: refused, HTTPException: router_said, StoreUnavailable: store_is_away}


def teller(settings: Settings) -> Teller:
    """Return what tells whoever is refused at the edge, in the same words as behind it."""

    async def tell(request: Request, status: int, public: str) -> Response:
        answer = await _answer(
            request, Refusal(_AT_THE_EDGE.get(status, "malformed"), public, public), settings, status
        )
        answer.status_code = status
        return answer

    return tell


async def _answer(request: Request, refusal: Refusal, settings: Settings, status: int = 0) -> Response:
    """
    Answer in JSON to programs, in HTML to people.

    Args:
        status: what a page is headed by; 0: the refusal's own.
    """
    path = request.scope["path"]
    if path.startswith(_API):
        answer = api_error(refusal, f"{settings.issuer}/docs/errors")
        if refusal.code == "unauthenticated":
            answer.headers["www-authenticate"] = challenge(refusal)
        return answer
    if path.startswith(_OAUTH):
        return oauth_error(refusal)
    if path.startswith(_VERIFIER):
        return verifier_error(refusal)
    return await error_page(request, refusal, status)


def _from_router(error: HTTPException) -> Refusal:
    """Put the router's 404 and 405 into our words."""
    if error.status_code == 405:
        return Refusal("method_not_allowed", "This method is not allowed here.", "method not allowed")
    return not_found("no such route")
