"""For any ASGI application: every call has a good token, and the application finds who calls in its scope."""

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping, Sequence
from typing import Any, Final

from keybearer.sdk.faces import AsyncFace
from keybearer.sdk.frameworks.answers import REFUSALS, Answer, Challenge, demand, limit_headers, token_in
from keybearer.wire.principal import Principal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_LEFT: Final = "keybearer.left"
_POLICY_VIOLATION: Final = 1008  # RFC 6455 §7.4.1


class KeybearerMiddleware:
    """
    Lets calls with a good token through, with ``scope["principal"]``; answers the others 401, 403, 429 or 503 itself.

    It starts the verifier with the application and closes it with the application.

    Args:
        needs: tells which permissions a call demands, out of its scope; without it any good token does.
        public: paths that need no token, such as ``/healthz``.
        resource_metadata: the address of the API's RFC 9728 metadata.
    """

    def __init__(
        self,
        app: Application,
        verifier: AsyncFace,
        *,
        needs: Callable[[Scope], Sequence[str]] = lambda _: (),
        public: Collection[str] = (),
        resource_metadata: str | None = None,
    ) -> None:
        self._app = Running(app, verifier)
        self._verifier = verifier
        self._needs = needs
        self._public = frozenset(public)
        self._challenge = Challenge(resource_metadata)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call, or hand it on."""
        if scope["type"] in {"http", "websocket"} and scope["path"] not in self._public:
            try:
                demand(await caller_of(scope, self._verifier, authorization_of(scope)), self._needs(scope))
            except REFUSALS as refusal:
                await refuse(self._challenge.answer(refusal), scope, telling_what_is_left(scope, send))
                return
        await self._app(scope, receive, send)


class Running:
    """Starts a verifier with the application, closes it with the application, and has answers tell what is left."""

    def __init__(self, app: Application, verifier: AsyncFace) -> None:
        self._app = app
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a call on; the one that lasts as long as the application does, with the verifier running."""
        if scope["type"] == "lifespan":
            async with self._verifier:
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, telling_what_is_left(scope, send))


async def caller_of(scope: Scope, verifier: AsyncFace, headers: Sequence[str]) -> Principal:
    """
    Return who calls, verified and counted once in a call, however many ask.

    Raises:
        InvalidToken, RateLimited, Unavailable: nobody, or too often, or that cannot be known.
    """
    principal: Principal | None = scope.get("principal")
    if principal is None:
        principal = await verifier.verify(token_in(headers))
        scope[_LEFT] = await verifier.count(principal)
        scope["principal"] = principal
    return principal


def telling_what_is_left(scope: Scope, send: Send) -> Send:
    """Return *send* with the rate limit's headers on the answer to a call that was counted."""
    if scope["type"] != "http":
        return send

    async def tell(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start" and _LEFT in scope:
            told = [(name.encode(), value.encode()) for name, value in limit_headers(scope[_LEFT]).items()]
            message = {**message, "headers": [*message.get("headers", ()), *told]}
        await send(message)

    return tell


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
