"""The client that calls an OAuth endpoint: by HTTP Basic, by the form, or by its id alone."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import unquote_plus

from starlette.requests import Request

from keybearer.server import refusals
from keybearer.server.batching import Batcher
from keybearer.server.http.edge import address_of, note_in_log
from keybearer.server.http.forms import Form
from keybearer.server.limits.attempts import AttemptLimit
from keybearer.server.limits.neighbourhoods import neighbourhood
from keybearer.server.node import Node
from keybearer.server.reads.caller import Credentials, authenticate
from keybearer.server.records import Client
from keybearer.server.refusals import Refusal
from keybearer.server.settings import Rate

T = TypeVar("T")

# RFC 9110 §11.6.1: every 401 says how to authenticate; this is the one way that a header knows.
CHALLENGE: Final = 'Basic realm="oauth", charset="UTF-8"'
# Of one client from one address. They are counted only after a failure, so the right secret works during an attack,
# and a broken client does not silence the others behind its address.
FAILURES: Final = Rate((30, 60))
_LONGEST_ID: Final = 64  # characters: what is sent as a client id may be longer than any


class Caller:
    """Authenticates clients, and slows down those that guess."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._failures = AttemptLimit(FAILURES)
        self._look_ups: Batcher[Credentials, Client | Refusal] = Batcher(self._read, self._look_up)

    async def of(self, request: Request, form: Form) -> Client:
        """
        Return the client that sent this form.

        Raises:
            Refusal: ``invalid_request``: credentials in two places; ``invalid_client``; ``too_many`` instead of that
                after many failures of this client from this address.

        Source: RFC 6749 §2.3 (one method a request), §2.3.1, §3.2.1.
        """
        credentials = credentials_of(request.headers.getlist("authorization"), form)
        client = await self._look_ups.ask(credentials)
        if isinstance(client, Refusal):
            guesser = (credentials.client_id[:_LONGEST_ID], neighbourhood(address_of(request)))
            wait_s = self._failures.count(guesser, self._node.now())
            if wait_s:
                raise refusals.too_many(f"{client.detail}, again and again", wait_s) from client
            raise client
        note_in_log(request, client=client.client_id)
        return client

    async def _read(self, look_up: Callable[[Any], Awaitable[T]]) -> T:
        return await look_up(self._node.database)

    async def _look_up(
        self,
        reader: Any,
        asked: Sequence[Credentials],
        *,
        is_alone: bool,  # noqa: ARG002 - a look-up waits for nobody
    ) -> list[Client | Refusal]:
        return await authenticate(reader, asked, self._node.now())


def credentials_of(authorization: list[str], form: Form) -> Credentials:
    """
    Return what the client presents, in whichever of the places.

    Args:
        authorization: the values of that header.

    Raises:
        Refusal: ``invalid_request`` for credentials in two places; ``invalid_client`` for none, or unreadable ones.
    """
    client_id, secret = form.maybe("client_id") or None, form.maybe("client_secret") or None
    if not authorization:
        if client_id is None:
            raise refusals.invalid_client("no client_id")
        return Credentials(client_id, secret)
    if len(authorization) > 1 or secret is not None:
        public = "Send the client's credentials once: by HTTP Basic or in the form."
        raise refusals.invalid_request(public, "credentials in two places")
    basic = _basic(authorization[0])
    if client_id not in {None, basic.client_id}:
        public = "The client_id in the form is not the one in the Authorization header."
        raise refusals.invalid_request(public, "two client ids")
    return basic


def _basic(header: str) -> Credentials:
    """Read ``Basic`` credentials: both halves are form-encoded, and decoded once (RFC 6749 §2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise refusals.invalid_client("an unknown authentication scheme")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, separator, secret = decoded.partition(":")
        client_id, secret = (unquote_plus(half, errors="strict") for half in (client_id, secret))
    except ValueError as error:
        raise refusals.invalid_client("unreadable Basic credentials") from error
    if not separator:
        raise refusals.invalid_client("Basic credentials without a colon")
    return Credentials(client_id, secret or None)
