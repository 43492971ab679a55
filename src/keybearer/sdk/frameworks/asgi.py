"""For any ASGI application: every call has a good token, and the application finds who calls in its scope."""

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from keybearer.reporting.asked import Asked
from keybearer.sdk.errors import InvalidToken, Unavailable
from keybearer.sdk.frameworks.answers import REFUSALS, Answer, Challenge, demand, limit_headers, open_paths, token_in
from keybearer.sdk.frameworks.recording import answerable, begun, begun_refused, ended, note_refusal
from keybearer.sdk.interfaces import VerifierInterface
from keybearer.wire.principal import Principal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

CALL: Final = "keybearer.call"
_LEFT: Final = "keybearer.left"
_ASKED: Final = "keybearer.asked"
# What begins an answer, and the status that it has if it does not say.
_BEGINNINGS: Final = {
    "http.response.start": 200,
    "websocket.accept": 101,
    "websocket.close": 403,
    "websocket.http.response.start": 200,
}
_ENDS: Final = frozenset({"lifespan.shutdown.complete", "lifespan.shutdown.failed"})
_BROKEN: Final = 500
_POLICY_VIOLATION: Final = 1008  # RFC 6455 §7.4.1


class KeybearerMiddleware:
    """
    Lets calls with a good token through, with ``scope["principal"]``; answers the others 401, 403, 429 or 503 itself.

    It starts the verifier with the application and closes it with the application.

    Args:
        needs: tells which permissions a call demands, out of its scope; without it any good token does.
        public: paths that need no token, such as ``/healthz``.
        resource_metadata: the address of the API's RFC 9728 metadata.

    Raises:
        TypeError: *public* is one text and no list.
    """

    def __init__(
        self,
        app: Application,
        verifier: VerifierInterface,
        *,
        needs: Callable[[Scope], Sequence[str]] = lambda _: (),
        public: Collection[str] = (),
        resource_metadata: str | None = None,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._running = Running(self._checked, verifier)
        self._needs = needs
        self._public = open_paths(public)
        self._challenge = Challenge(resource_metadata)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, or hand it on."""
        await self._running(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and scope["path"] not in self._public:
            try:
                demand(await caller_of(scope, self._verifier, authorization_of(scope)), self._needs(scope))
            except REFUSALS as refusal:
                note_refusal(scope.get(CALL), refusal)
                await refuse(self._challenge.answer(refusal), scope, send)
                return
        await self._app(scope, receive, send)


class Running:
    """Starts a verifier with the application, closes it with the application, and looks after the answers."""

    def __init__(self, app: Application, verifier: VerifierInterface) -> None:
        self._app = app
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a call on; the one that lasts as long as the application does, with the verifier running."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        try:
            await self._app(scope, receive, Answering(scope, send, self._verifier))
        finally:
            call = scope.get(CALL)
            if call is not None and not call.is_over:  # it was not answered
                ended(call, _BROKEN, _route_of(scope))

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Have the verifier begin when the application asks whether to begin, and end when it has ended.

        Some never ask: they refuse this scope, as Django does, or return, and are served nevertheless. For them the
        verifier begins with the first token, so it must not have been closed.

        Source: ASGI, lifespan protocol, "Scope".
        """
        async with AsyncExitStack() as life:
            is_begun = False

            async def hear() -> MutableMapping[str, Any]:
                nonlocal is_begun
                if not is_begun:
                    is_begun = True
                    await life.enter_async_context(self._verifier)
                return await receive()

            async def say(message: MutableMapping[str, Any]) -> None:
                try:
                    if message["type"] in _ENDS:
                        # First: a server that has heard of the end, as Hypercorn or uvicorn, waits for nothing more.
                        await life.aclose()
                finally:
                    await send(message)

            await self._app(scope, hear, say)


async def caller_of(scope: Scope, verifier: VerifierInterface, headers: Sequence[str]) -> Principal:
    """
    Return who calls, verified and counted once in a call, however many ask.

    Raises:
        InvalidToken, RateLimited, Unavailable: nobody, or too often, or that cannot be known.
    """
    # An application mounted in another may have a verifier of its own, and a call made within a call another token.
    asked = (verifier, *headers)
    principal: Principal | None = scope.get("principal") if scope.get(_ASKED) == asked else None
    if principal is None:
        try:
            principal = await verifier.verify(token_in(headers))
        except InvalidToken as refusal:
            scope[CALL] = begun_refused(verifier, refusal, _asked(scope))
            raise
        scope[CALL] = begun(verifier, principal.bearer, _asked(scope))
        scope[_LEFT] = await verifier.count(principal)
        scope["principal"], scope[_ASKED] = principal, asked
    return principal


class Answering:
    """
    Sends what an application answers: recorded first, and with what its call leaves of the rate limit.

    An answer that cannot be recorded is not sent; in its place goes the one that says so.
    """

    def __init__(self, scope: Scope, send: Send, verifier: VerifierInterface) -> None:
        self._scope = scope
        self._send = send
        self._verifier = verifier
        self._is_replaced = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        """Send a message of the application's."""
        if self._is_replaced:
            return
        if message["type"] in _BEGINNINGS:
            status = message.get("status", _BEGINNINGS[message["type"]])
            try:
                appended = ended(self._scope.get(CALL), status, _route_of(self._scope))
                if appended:
                    await answerable(self._verifier, appended)
            except Unavailable as refusal:
                self._is_replaced = True
                await refuse(Challenge().answer(refusal), self._scope, self._send)
                return
        if message["type"] == "http.response.start" and _LEFT in self._scope:
            left = self._scope.pop(_LEFT)  # told once, also where an application is mounted in another
            told = [(name.encode(), value.encode()) for name, value in limit_headers(left).items()]
            message = {**message, "headers": [*message.get("headers", ()), *told]}
        await self._send(message)


def _asked(scope: Scope) -> Asked:
    request_id = agent = None
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent = value.decode("latin-1")
        elif name == b"x-request-id":
            request_id = value.decode("latin-1")
    address = scope["client"][0] if scope.get("client") else None
    method = scope.get("method", "GET")  # a WebSocket begins with one
    return Asked(method, _route_of(scope), request_id, address, agent)


def _route_of(scope: Scope) -> str | None:
    """Return the template of the path, as Starlette and FastAPI leave it; never the path."""
    route: str | None = getattr(scope.get("route"), "path", None)
    return route


def principal_of(scope: Scope) -> Principal:
    """
    Return who calls.

    Raises:
        LookupError: the middleware was not asked about this call: its path is public, or there is no middleware.
    """
    principal: Principal | None = scope.get("principal")
    if principal is None:
        raise LookupError("no token was verified for this call")
    return principal


def authorization_of(scope: Scope) -> list[str]:
    """Return the values of the ``Authorization`` headers."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]


async def refuse(answer: Answer, scope: Scope, send: Send) -> None:
    """Send an answer; where a WebSocket cannot be given one, close it before it is opened."""
    kind = "http.response"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
            return
        kind = "websocket.http.response"
    body = json.dumps(answer.body).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **answer.headers}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": f"{kind}.start", "status": answer.status, "headers": pairs})
    await send({"type": f"{kind}.body", "body": body})
