"""The outermost door: request ids, limits on what comes in, headers on what goes out, one log line each."""

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keybearer.server import secrets
from keybearer.server.clock import Clock
from keybearer.server.events import Actor
from keybearer.server.http.addresses import client_address
from keybearer.server.http.answers import json_bytes
from keybearer.server.http.same_origin import is_trustworthy

MAX_BODY_BYTES: Final = 64 * 1024
_LONG_BODIES: Final = {"/verifier/activity": 4 * 1024 * 1024}
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 16 * 1024
MAX_AGENT: Final = 300  # characters of a User-Agent that are kept
_SMALL_NUMBER: Final = re.compile(rb"[0-9]{1,10}")
# What these headers mean where they are not sent.
_UNSAID: Final = {b"transfer-encoding": b"chunked", b"content-encoding": b"identity", b"content-length": b"0"}

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


def note_actor(request: Request, **known: str | int | None) -> None:
    """Add to the request's log line who acts: user, team, client, the token's last four characters, a reason."""
    request.scope["keybearer.noted"].update(known)


def log_quietly(request: Request) -> None:
    """Log this request at debug only: it is one of very many that tell nothing."""
    request.scope["keybearer.is_quiet"] = True


def promise_headers(request: Request, headers: Mapping[str, str]) -> None:
    """Add headers to whatever this request is answered with, errors of ours included."""
    request.scope["keybearer.headers"].update(headers)


def policy_for_forms_to(place: str) -> str:
    """
    Return the Content-Security-Policy of a page whose form ends in a redirect to *place*.

    Args:
        place: an origin (``https://app.example``) or a scheme (``com.example.app:``).

    Source: CSP3 §6.4.1 (browsers apply form-action to the redirects that follow a form, too).
    """
    return _CONTENT_SECURITY_POLICY.format(f"'self' {place}")


def _headers_of(issuer: str) -> dict[str, str]:
    """
    Return the headers of every answer of ours.

    Wherever browsers say ``Sec-Fetch-Site``, nobody is told an address of ours, our own pages included. Over plain HTTP
    they do not say it, and under ``no-referrer`` our own forms come with ``Origin: null``: there the origin, all that
    tells them from a stranger's, is kept among ourselves.

    Source: Fetch §3.1 (a request's ``Origin`` is ``null`` under ``no-referrer``); Fetch Metadata §2.
    """
    headers = _HEADERS | {"referrer-policy": "no-referrer" if is_trustworthy(issuer) else "same-origin"}
    return headers | ({"strict-transport-security": _STRICT_TRANSPORT} if issuer.startswith("https://") else {})


class _Refused(Exception):
    """The request is over a limit; it is answered here and goes no further."""

    def __init__(self, status: int, public: str) -> None:
        super().__init__(public)
        self.status = status
        self.public = public


class Edge:
    """
    ASGI middleware around the whole application.

    Args:
        trusted: addresses of proxies that may set ``X-Forwarded-For``.
        now: microseconds since 1970 UTC.
        patience_s: seconds that a body may take to arrive.
        issuer: our own base URL.
    """

    def __init__(
        self, app: ASGIApp, trusted: frozenset[str], now: Clock, *, patience_s: float = 10, issuer: str
    ) -> None:
        self._app = app
        self._patience_s = patience_s
        self._now = now
        self._trusted = trusted
        self._headers = [(name.encode(), value.encode()) for name, value in _headers_of(issuer).items()]

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
        if peer not in self._trusted:
            return peer
        return client_address(peer, Headers(scope=scope).getlist("x-forwarded-for"), self._trusted)

    async def _serve(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        began = time.perf_counter()
        try:
            _check_head(scope)
            await self._app(scope, _Body(receive, self._patience_s, _most_bytes(scope)).receive, answer.send)
        except _Refused as refused:
            await answer.refuse(refused.status, refused.public)
        except ClientDisconnect:
            answer.status = 499  # nginx's word for a client that left; nobody is there to be told
        except Exception:  # noqa: BLE001 - the last resort: logged, answered without a trace
            _LOG.exception("failed", request_id=scope["keybearer.request_id"])
            await answer.refuse(500, "Something went wrong here. Quote the request id when you report it.")
        finally:
            _log_line(scope, answer.status, time.perf_counter() - began)


def _check_head(scope: Scope) -> None:
    """
    Refuse too many or too long headers, compressed bodies, and bodies that say they are too long.

    The parser in front refuses what is malformed; what it lets through and a proxy might read in another way, is
    refused here: no host or two, and a body in any transfer coding but ``chunked``.

    Source: RFC 9112 §3.2 (Host), §6.1 (Transfer-Encoding).
    """
    raw = scope["headers"]
    hosts = size = 0
    said = dict(_UNSAID)
    for name, value in reversed(raw):  # so that of several the first one stays
        size += len(name) + len(value)
        if name in said:
            said[name] = value
        elif name == b"host":
            hosts += 1
    if hosts != 1 and scope["http_version"] == "1.1":
        raise _Refused(400, "The request must have one Host header.")
    if said[b"transfer-encoding"].lower() != b"chunked":
        raise _Refused(400, "The only transfer coding that is accepted is chunked.")
    if len(raw) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise _Refused(431, "The request's headers are too large.")
    if said[b"content-encoding"].lower() != b"identity":
        raise _Refused(415, "Compressed bodies are not accepted. Send the body as it is.")
    length, most = said[b"content-length"], _most_bytes(scope)
    if not _SMALL_NUMBER.fullmatch(length) or int(length) > most:
        raise _Refused(413, f"The body is too large. At most {most} bytes are accepted.")


def _most_bytes(scope: Scope) -> int:
    """Return how long a body may be; the door for long ones reads them only of those whose key it knows."""
    return _LONG_BODIES.get(scope["path"], MAX_BODY_BYTES)


class _Body:
    """Counts the body as it comes, and does not wait for ever: not for a piece, and not for piece after piece."""

    def __init__(self, receive: Receive, patience_s: float, most: int) -> None:
        self._receive = receive
        self._patience_s = patience_s
        self._deadline = 0.0
        self._most = self._left = most
        self._is_whole = False

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()  # waits for the client to go away: no time limit
        if not self._deadline:
            self._deadline = asyncio.get_running_loop().time() + self._patience_s
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise _Refused(408, "The body did not arrive in time.") from None
        self._left -= len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._left < 0:
            raise _Refused(413, f"The body is too large. At most {self._most} bytes are accepted.")
        return message


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

    async def refuse(self, status: int, public: str) -> None:
        """Answer with an error, unless an answer is on its way already."""
        if self.status:
            return
        body = json_bytes({"message": public})
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers.append((b"connection", b"close"))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def _log_line(scope: Scope, status: int, seconds: float) -> None:
    """Log the request: the route's pattern, never the path or query, which may hold what somebody typed."""
    log = _LOG.debug if "keybearer.is_quiet" in scope and status < 400 else _LOG.info
    log(
        "request",
        request_id=scope["keybearer.request_id"],
        method=scope["method"],
        route=getattr(scope.get("route"), "path", "") or "unmatched",
        status=status,
        duration_ms=round(seconds * 1000, 2),
        address=scope["keybearer.address"],
        **scope["keybearer.noted"],
    )
