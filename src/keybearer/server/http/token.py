"""The token endpoint: codes and refresh tokens become pairs of tokens."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from keybearer.server import refusals
from keybearer.server.actions.exchange_code import Exchange, exchange_code
from keybearer.server.actions.refresh_tokens import Refresh, refresh_tokens
from keybearer.server.batching import Batcher
from keybearer.server.http.answers import NO_STORE, json_answer
from keybearer.server.http.edge import actor_of, note_in_log
from keybearer.server.http.forms import Form
from keybearer.server.issuing import TokenPair, terms_of
from keybearer.server.node import Node
from keybearer.server.records import Client
from keybearer.server.refusals import Refusal

# Known to OAuth, but never open to a client that cannot keep a secret (RFC 6749 §4.4).
_CONFIDENTIAL_ONLY: Final = frozenset({"client_credentials"})

GrantType = Callable[[Request, Client, Form], Awaitable[TokenPair | Refusal]]


class TokenEndpoint:
    """Answers an authenticated client's form with a pair of tokens."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._terms = terms_of(node.settings)
        self._exchanges: Batcher[Exchange, TokenPair | Refusal] = Batcher(node.act, self._exchange_all)
        self._refreshes: Batcher[Refresh, TokenPair | Refusal] = Batcher(node.act, self._refresh_all)
        self._grant_types: Mapping[str, GrantType] = {
            "authorization_code": self._authorization_code,
            "refresh_token": self._refresh_token,
        }

    def note(self, request: Request, form: Form) -> None:
        """Add to the request's log line which grant type is asked for: one of ours, or that it is another."""
        wanted = form.all("grant_type")
        is_known = len(wanted) == 1 and wanted[0] in self._grant_types
        note_in_log(request, grant_type=wanted[0] if is_known else "other")

    async def answer(self, request: Request, client: Client, form: Form) -> Response:
        """
        Do what the form's ``grant_type`` says.

        Raises:
            Refusal: one of RFC 6749 §5.2.
        """
        granted = await self._grant_type(client, form)(request, client, form)
        if isinstance(granted, Refusal):
            raise granted  # it is committed; from here on it is an answer like any other
        return json_answer(_body(granted), 200, NO_STORE)

    def _grant_type(self, client: Client, form: Form) -> GrantType:
        wanted = form.maybe("grant_type") or ""
        if wanted in self._grant_types:
            return self._grant_types[wanted]
        if not wanted and not form.all("grant_type[]"):
            raise refusals.invalid_request("The parameter grant_type is missing.", "missing: grant_type")
        if wanted in _CONFIDENTIAL_ONLY and client.kind == "public":
            raise refusals.unauthorized_client("grant type for confidential clients")
        raise refusals.unsupported_grant_type("grant type unknown")

    async def _authorization_code(self, request: Request, client: Client, form: Form) -> TokenPair | Refusal:
        actor = actor_of(request, client_id=client.client_id)
        code, redirect_uri = form.needed("code"), form.maybe("redirect_uri") or None
        verifier = form.maybe("code_verifier") or None
        return await self._exchanges.ask(Exchange(actor, client.client_id, code, redirect_uri, verifier))

    async def _exchange_all(
        self, tx: Any, asked: Sequence[Exchange], *, is_alone: bool
    ) -> list[TokenPair | Refusal | None]:
        return await exchange_code(tx, asked, self._terms, self._node.now(), is_alone=is_alone)

    async def _refresh_token(self, request: Request, client: Client, form: Form) -> TokenPair | Refusal:
        wanted = set((form.maybe("scope") or "").split(" ")) - {""}
        if not wanted <= self._node.settings.permissions.keys():
            raise refusals.invalid_scope("The scope names a permission that does not exist here.", "scope unknown")
        actor = actor_of(request, client_id=client.client_id)
        text = form.needed("refresh_token")
        return await self._refreshes.ask(Refresh(actor, client.client_id, text, " ".join(sorted(wanted))))

    async def _refresh_all(
        self, tx: Any, asked: Sequence[Refresh], *, is_alone: bool
    ) -> list[TokenPair | Refusal | None]:
        return await refresh_tokens(tx, asked, self._terms, self._node.now(), is_alone=is_alone)


def _body(pair: TokenPair) -> dict[str, object]:
    """Return the answer in the reference's order; ``scope`` only where it is narrowed (RFC 6749 §5.1)."""
    body: dict[str, object] = {
        "token_type": "Bearer",
        "expires_in": pair.expires_in_s,
        "access_token": pair.access_text,
        "refresh_token": pair.refresh_text,
    }
    return body if pair.scope is None else {**body, "scope": pair.scope}
