"""The introspection endpoint: whether a token acts at this moment, for whom, and what it may do."""

import re
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from keybearer.server import refusals
from keybearer.server.clock import SECOND
from keybearer.server.http.answers import NO_STORE, json_answer, json_bytes
from keybearer.server.http.bearer import bearer_in, bearer_text
from keybearer.server.http.caller import CHALLENGE, Caller, credentials_of
from keybearer.server.http.edge import address_of, log_quietly, note_refusal
from keybearer.server.http.errors import oauth_error
from keybearer.server.http.forms import Form, read_oauth_form
from keybearer.server.http.hits import Hit, HitDoor, Plain
from keybearer.server.http.identity_cache import IdentityCache
from keybearer.server.http.scopes import scope_of
from keybearer.server.node import Node
from keybearer.server.reads.introspection import active_refresh
from keybearer.server.records import Client, ResourceServer
from keybearer.server.refusals import Refusal
from keybearer.wire import token_text
from keybearer.wire.denial import Denial
from keybearer.wire.principal import Principal

_CHALLENGES: Final = f'{CHALLENGE}, Bearer realm="introspection"'
_INACTIVE: Final = {"active": False}
_PATH: Final = "/oauth/introspect"
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = {"content-type": "application/json"}
_PLAIN_FORM: Final = re.compile(rb"token=([0-9A-Za-z_]+)(?:&token_type_hint=access_token)?")  # nothing in it is encoded


def routes(node: Node, caller: Caller) -> list[BaseRoute]:
    """Return ``/oauth/introspect``; what it answers is logged at debug: it is asked at every call of somebody's API."""
    endpoint = IntrospectionEndpoint(node, caller)

    async def handle(request: Request) -> Response:
        try:
            answered = await endpoint.answer(request, await read_oauth_form(request))
        except Refusal as refusal:
            note_refusal(request, refusal)
            return oauth_error(refusal, _CHALLENGES if refusal.code == "invalid_client" else "")
        log_quietly(request)
        return json_answer(answered, 200, NO_STORE)

    return [HitDoor(_PATH, handle, endpoint.look, methods=("POST",), headers=_JSON | NO_STORE)]


class IntrospectionEndpoint:
    """
    Answers a resource server about every token of its environment that acts, and a client about its own.

    Whatever else is asked about is inactive, without a word why.

    Source: RFC 7662 §2.2, §4.
    """

    def __init__(self, node: Node, caller: Caller) -> None:
        self._node = node
        self._caller = caller
        self._told: IdentityCache[Principal, bytes] = IdentityCache(
            lambda principal: json_bytes(self._active(principal))
        )

    async def answer(self, request: Request, form: Form) -> dict[str, Any]:
        """
        Return the answer's body.

        Raises:
            Refusal: ``invalid_client``: whoever asks did not authenticate; ``invalid_request``: no token in the form.
        """
        await self._node.feed.fresh()  # from here on keys and tokens are known as they are
        asker = await self._asker(request, form)
        text = form.needed("token")
        if isinstance(asker, Client) and token_text.kind_of(text) == "ort":
            return await self._refresh(text, asker)
        principal = await self._node.bearers.bearer_as_told(text, self._node.now(), address_of(request))
        if isinstance(principal, Denial) or not _may_know(asker, principal):
            return _INACTIVE
        return self._active(principal)

    def look(self, plain: Plain) -> Hit | None:
        """Answer a resource server, by its key as Bearer, about a token that may be told of."""
        node, form = self._node, _PLAIN_FORM.fullmatch(plain.body)
        if form is None or plain.header(b"content-type") != _FORM:
            return None
        key = bearer_in(plain.header(b"authorization"))
        asker = node.verifier_keys.known(key, plain.at) if key else None
        principal = node.bearers.known(form[1].decode(), plain.at)
        if asker is None or principal is None or not _may_know(asker, principal):
            return None
        return Hit(b"", self._told.of(principal))

    async def _asker(self, request: Request, form: Form) -> ResourceServer | Client:
        """
        Return who asks: a resource server by its key, as Bearer or with its id by Basic, or a client with a secret.

        Source: RFC 7662 §2.1 (whoever asks authenticates).
        """
        if key := bearer_text(request):
            return await self._owner_of(key, request)
        credentials = credentials_of(request.headers.getlist("authorization"), form)
        if credentials.secret is not None and token_text.kind_of(credentials.secret) == "rsk":
            owner = await self._owner_of(credentials.secret, request)
            if owner.resource_server_id != credentials.client_id:
                raise refusals.invalid_client("another resource server's key")
            return owner
        client = await self._caller.of(request, form)
        if client.kind == "public":
            raise refusals.invalid_client("a client without a secret asks about tokens")
        return client

    async def _owner_of(self, key: str, request: Request) -> ResourceServer:
        try:
            return await self._node.verifier_keys.owner_of(key, address_of(request), self._node.now())
        except Refusal as refusal:
            raise refusals.invalid_client(refusal.detail) from refusal

    async def _refresh(self, text: str, client: Client) -> dict[str, Any]:
        held = await active_refresh(self._node.database, text, client.client_id, self._node.now())
        if held is None:
            return _INACTIVE
        return {
            "active": True,
            "token_type": "refresh_token",
            "client_id": client.client_id,
            "sub": str(held.user_id),
            "exp": held.expires_at // SECOND,
            "iss": self._node.settings.issuer,
            "team": held.team_id,
        } | ({"scope": held.scope} if held.scope else {})

    def _active(self, principal: Principal) -> dict[str, Any]:
        """Say what the token may do now; team, role and environment are ours beside the RFC's words (§2.2)."""
        body = {
            "active": True,
            "token_type": "Bearer",
            "scope": scope_of(principal.permissions),
            "sub": str(principal.user_id),
            "username": principal.user_email,
            "exp": principal.expires_at // SECOND,
            "iss": self._node.settings.issuer,
            "jti": principal.token_id,
            "team": principal.team_id,
            "role": principal.role,
            "environment": principal.environment,
        }
        return body if principal.client_id is None else body | {"client_id": principal.client_id}


def _may_know(asker: ResourceServer | Client, principal: Principal) -> bool:
    if isinstance(asker, Client):
        return asker.client_id == principal.client_id
    return asker.environment == principal.environment
