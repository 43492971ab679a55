"""The outermost middleware: request ids, limits on what comes in, headers on what goes out, a log line and a count."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keybearer.server import secrets
from keybearer.server.activities import Actor
from keybearer.server.clock import Clock
from keybearer.server.http.addresses import TrustedProxies, client_address
from keybearer.server.http.answers import json_answer
from keybearer.server.http.intake import Body, OverLimit, check_head, most_bytes
from keybearer.server.http.same_origin import is_trustworthy
from keybearer.server.metrics.requests import Requests
from keybearer.server.refusals import Refusal

MAX_AGENT: Final = 300  # characters of a User-Agent that are kept

_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action {}; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _CONTENT_SECURITY_POLICY.format("'self'"),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_STRICT_TRANSPORT: Final = "max-age=31536000; includeSubDomains"

_CRASHED: Final = "Something went wrong here. Quote the request id when you report it."
_LOG = structlog.get_logger("keybearer.request")


def request_id(request: Request) -> str:
    """Return the id under which this request stands in the log, the activity records and the answer."""
    found: str = request.scope["keybearer.request_id"]
    return found


def address_of(request: Request) -> str:
    """Return the client's address, trusted proxies considered."""
    found: str = request.scope["keybearer.address"]
    return found


def actor_of(
    request: Request, *, user_id: int | None = None, client_id: str | None = None, token: tuple[str, str] | None = None
) -> Actor:
    """
    Return who acts by this request.

    Args:
        token: the acting token's id and last four characters.
    """
    token_id, last4 = token or (None, None)
    agent = request.headers.get("user-agent", "")[:MAX_AGENT]
    return Actor(request_id(request), address_of(request), user_id, client_id, token_id, last4, agent)


def note_in_log(request: Request, **known: str | int | None) -> None:
    """Add to the request's log line: who acts (user, team, client, the token's last four characters), or a reason."""
    request.scope["keybearer.noted"].update(known)


def note_refusal(request: Request, refusal: Refusal) -> None:
    """Add to the request's log line that it is refused, and why; the detail stands nowhere else."""
    note_in_log(request, refused=refusal.code, detail=refusal.detail)


def log_quietly(request: Request) -> None:
    """Log this request at debug level only: there are very many of its kind."""
    request.scope["keybearer.is_quiet"] = True


def promise_headers(request: Request, headers: Mapping[str, str]) -> None:
    """Add headers to the answer to this request, even if it is an error."""
    request.scope["keybearer.headers"].update(headers)


def policy_for_forms_to(place: str) -> str:
    """
    Return the Content-Security-Policy of a page whose form ends in a redirect to *place*.

    Args:
        place: an origin (``https://app.example``) or a scheme (``com.example.app:``).

    Source: CSP3 §6.4.1 (browsers apply form-action to the redirects that follow a form, too).
    """
    return _CONTENT_SECURITY_POLICY.format(f"'self' {place}")


def headers_of(issuer: str) -> dict[str, str]:
    """
    Return the headers of every answer of ours.

    Where browsers send ``Sec-Fetch-Site``, the referrer is never sent. Over plain HTTP they do not send it, and the
    ``Origin`` of a form is all that tells our pages from others'. ``no-referrer`` would make that ``null``, so there
    the referrer is sent to our own pages only.

    Source: Fetch §3.1 (a request's ``Origin`` is ``null`` under ``no-referrer``); Fetch Metadata §2.
    """
    headers = _HEADERS | {"referrer-policy": "no-referrer" if is_trustworthy(issuer) else "same-origin"}
    return headers | ({"strict-transport-security": _STRICT_TRANSPORT} if issuer.startswith("https://") else {})


Teller = Callable[[Request, int, str], Awaitable[Response]]


async def _tell_plainly(_request: Request, status: int, public: str) -> Response:
    """Tell in JSON what is the same for everybody."""
    return json_answer({"message": public}, status)


@dataclass(frozen=True, slots=True)
class Terms:
    """
    On what terms requests are let in.

    Args:
        issuer: our own base URL.
        trusted: proxies that may set ``X-Forwarded-For``.
        patience_s: seconds that a body may take to arrive.
    """

    issuer: str
    trusted: TrustedProxies = field(default_factory=TrustedProxies)
    patience_s: float = 10


class Edge:
    """
    ASGI middleware around the whole application.

    Args:
        now: microseconds since 1970 UTC.
        requests: where they are counted.
        tell: makes the answer to a request that is refused here, out of status and sentence.
    """

    def __init__(
        self, app: ASGIApp, terms: Terms, now: Clock, requests: Requests, tell: Teller = _tell_plainly
    ) -> None:
        self._app = app
        self._terms = terms
        self._now = now
        self._requests = requests
        self._tell = tell
        self._headers = [(name.encode(), value.encode()) for name, value in headers_of(terms.issuer).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["keybearer.request_id"] = secrets.record_id(self._now())
        scope["keybearer.address"] = self._address(scope)
        scope["keybearer.noted"] = {}
        scope["keybearer.headers"] = {}
        await self._serve(scope, receive, _Answer(scope, send, self._headers))

    def _address(self, scope: Scope) -> str:
        peer: str = scope["client"][0] if scope.get("client") else ""
        if peer not in self._terms.trusted:
            return peer
        return client_address(peer, Headers(scope=scope).getlist("x-forwarded-for"), self._terms.trusted)

    async def _serve(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        began = time.perf_counter()
        try:
            check_head(scope)
            await self._app(scope, Body(receive, self._terms.patience_s, most_bytes(scope)).receive, answer.send)
        except OverLimit as refused:
            await self._refuse(scope, answer, refused.status, refused.public)
        except ClientDisconnect:
            answer.status = 499  # nginx's word for a client that left; nobody is there to be told
        except Exception:  # noqa: BLE001 - the last resort: logged, answered without a trace
            _LOG.exception("failed", request_id=scope["keybearer.request_id"])
            await self._refuse(scope, answer, 500, _CRASHED)
        finally:
            seconds = time.perf_counter() - began
            self._requests.note((scope["method"], _route_of(scope)), answer.status, seconds, scope["keybearer.noted"])
            _log_line(scope, answer.status, seconds)

    async def _refuse(self, scope: Scope, answer: "_Answer", status: int, public: str) -> None:
        """Answer with an error, unless an answer is on its way already; plainly if that fails, too."""
        if answer.status:
            return
        request = Request(scope)
        try:
            response = await self._tell(request, status, public)
        except Exception:  # noqa: BLE001 - the last resort of the last resort
            _LOG.exception("an error cannot be told", request_id=scope["keybearer.request_id"])
            response = await _tell_plainly(request, status, public)
        response.headers["connection"] = "close"
        await response(scope, request.receive, answer.send)


class _Answer:
    """Adds to each answer what every answer has, and remembers its status."""

    def __init__(self, scope: Scope, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._scope = scope
        self._send = send
        self._headers = headers
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._completed(message["headers"])
        await self._send(message)

    def _completed(self, given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Add what was promised, in place of what is *given*, and what every answer has where nothing is given."""
        promised = {name.encode(): value.encode("latin-1") for name, value in self._scope["keybearer.headers"].items()}
        promised[b"x-request-id"] = self._scope["keybearer.request_id"].encode()
        kept = [pair for pair in given if pair[0] not in promised]
        present = {name for name, _ in kept} | promised.keys()
        return [*kept, *(pair for pair in self._headers if pair[0] not in present), *promised.items()]


def _route_of(scope: Scope) -> str:
    """Return the route's pattern, never the path or query, which may hold what somebody typed."""
    return getattr(scope.get("route"), "path", "") or "unmatched"


def _log_line(scope: Scope, status: int, seconds: float) -> None:
    """Log the request."""
    is_quiet = "keybearer.is_quiet" in scope and status < 400
    if is_quiet and not _LOG.is_enabled_for(logging.DEBUG):
        return  # before the line is put together
    of = (scope["keybearer.request_id"], scope["method"], _route_of(scope), scope["keybearer.address"])
    log_request(_LOG.debug if is_quiet else _LOG.info, of, status, seconds, scope["keybearer.noted"])


def log_request(
    log: Callable[..., object], of: tuple[str, str, str, str], status: int, seconds: float, noted: Mapping[str, Any]
) -> None:
    """
    Log a request that is answered.

    Args:
        of: its id, its method, its route's pattern, and the client's address.
        noted: what else is known of it.
    """
    its_id, method, route, address = of
    log(
        "request",
        request_id=its_id,
        method=method,
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 2),
        address=address,
        **noted,
    )
