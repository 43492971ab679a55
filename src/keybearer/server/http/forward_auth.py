"""The endpoint for gateways: whether a request may pass to the API, and in whose name, told in headers."""

from functools import lru_cache
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from keybearer.server.http.answers import empty_answer
from keybearer.server.http.bearer import admitted, bearer_text
from keybearer.server.http.call_record import Behind, record_call_behind, recorded, words_behind
from keybearer.server.http.demand import demand_permission
from keybearer.server.http.edge import address_of, log_quietly
from keybearer.server.http.hits import Hit, HitDoor, Plain
from keybearer.server.http.identity_cache import IdentityCache
from keybearer.server.http.known_calls import known_caller, let_through
from keybearer.server.http.limits import count_call
from keybearer.server.http.scopes import scope_of
from keybearer.server.node import Node
from keybearer.server.records import ResourceServer
from keybearer.server.refusals import Refusal
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.principal import Principal

PATH: Final = "/forward-auth"
KEY: Final = "x-keybearer-key"
PERMISSION: Final = "x-keybearer-permission"
METHOD: Final = "x-forwarded-method"
# What may stand in a header as it is: RFC 5322's atext without the percent sign, dots and the at sign.
_PLAIN: Final = "!#$&'*+-/=?^_`{|}~.@:"
_KEY, _PERMISSION, _METHOD = KEY.encode(), PERMISSION.encode(), METHOD.encode()
_MOST_FIELDS: Final = 10_000  # remembered as they are written: callers come again


def routes(node: Node) -> list[BaseRoute]:
    """Return the door, for every method, and with the request's own path behind it, which is what Envoy asks."""
    door = ForwardAuth(node)
    return [
        HitDoor(PATH, door.answer, door.look, methods=("GET",), headers={}),
        Route(PATH, door),
        Route(f"{PATH}/{{original:path}}", door),
    ]


class ForwardAuth:
    """
    Answers 200 with the identity, or as the API itself would refuse; a bare ASGI application.

    Only headers count, never path, query or body: some gateways hand on those of the caller. A gateway that is not
    known, or demands a permission that does not exist, is answered 503: that is no fault of the caller's token.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._identity = IdentityCache(_identity_lines)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of any method; its body is not read."""
        await (await self.answer(Request(scope)))(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Return the answer to one request."""
        return await recorded(request, lambda: self._answer(request))

    def look(self, plain: Plain) -> Hit | None:
        """Let a call pass of which there is one in hand, with a token that may do what is demanded."""
        node = self._node
        owner, principal = node.verifier_keys.known(plain.header(_KEY), plain.at), known_caller(node, plain)
        if owner is None or principal is None or principal.environment != owner.environment:
            return None
        if not all(map(principal.can, plain.header(_PERMISSION).split())):
            return None
        method, words = plain.header(_METHOD) or "GET", words_behind(owner.name)
        left = let_through(node, plain, principal, (method, PATH), words)
        if left is None:
            return None
        return Hit(self._identity.of(principal) + left, b"")

    async def _answer(self, request: Request) -> Response:
        answer = empty_answer(200)
        answer.raw_headers += identity_headers(await self._passing(request))
        log_quietly(request)
        return answer

    async def _passing(self, request: Request) -> Principal:
        """
        Return who may pass.

        Raises:
            Refusal: ``unauthenticated``, ``too_many``, ``forbidden``; ``unavailable``: the gateway is set up wrong.
        """
        node, keys = self._node, request.headers.getlist(KEY)
        if len(keys) != 1:
            raise _misconfigured("Its configuration must set the header X-Keybearer-Key.", "no key, or several")
        await node.feed.fresh()  # from here on keys and tokens are known as they are
        owner = await self._owner_of(keys[0], address_of(request))
        record_call_behind(request, Behind(request.headers.get(METHOD) or request.method, owner.name))
        demanded = [name for value in request.headers.getlist(PERMISSION) for name in value.split()]
        if unknown := sorted(set(demanded) - node.settings.permissions.keys()):
            raise _misconfigured("It demands a permission that does not exist.", f"unknown permission: {unknown[0]}")
        principal = admitted(node, request, await self._bearer(request, owner.environment))
        await count_call(node, request, principal)
        for permission in demanded:
            demand_permission(node, request, principal, permission)
        return principal

    async def _owner_of(self, key: str, address: str) -> ResourceServer:
        """Return the API behind the gateway; tokens of its environment alone may pass."""
        try:
            return await self._node.verifier_keys.owner_of(key, address, self._node.now())
        except Refusal as refusal:
            raise _misconfigured("Its key is unknown or was revoked.", refusal.detail) from refusal

    async def _bearer(self, request: Request, environment: str) -> Principal | Denial:
        text = bearer_text(request)
        if text is None:
            return Denial(Reason.MISSING)
        found = await self._node.bearers.bearer_as_told(text, self._node.now(), address_of(request))
        if isinstance(found, Principal) and found.environment != environment:
            return Denial(Reason.WRONG_ENVIRONMENT, found.token_last4)
        return found


def identity_headers(principal: Principal) -> list[tuple[bytes, bytes]]:
    """
    Return what the API behind is told, every header always: a gateway that copies them replaces all forged ones.

    What is not plain ASCII is percent-encoded UTF-8, and so is the percent sign.

    Source: RFC 3986 §2.1; RFC 9110 §5.5 (field values).
    """
    told = {
        b"x-auth-user": str(principal.user_id),
        b"x-auth-user-email": principal.user_email,
        b"x-auth-team": str(principal.team_id),
        b"x-auth-role": principal.role,
        b"x-auth-permissions": scope_of(principal.permissions),
        b"x-auth-client": principal.client_id or "",
        b"x-auth-environment": principal.environment,
    }
    return [(name, _field(value)) for name, value in told.items()]


def _identity_lines(principal: Principal) -> bytes:
    return b"".join([b"%b: %b\r\n" % each for each in identity_headers(principal)])


@lru_cache(_MOST_FIELDS)
def _field(value: str) -> bytes:
    return quote(value, safe=f"{_PLAIN} ").encode()


def _misconfigured(what: str, detail: str) -> Refusal:
    return Refusal("unavailable", f"The gateway cannot ask who calls. {what}", detail)
