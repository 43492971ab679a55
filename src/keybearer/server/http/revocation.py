"""The revocation endpoint: an app gives a token back."""

from starlette.requests import Request
from starlette.responses import Response

from keybearer.server.actions.revoke_token import revoke_token
from keybearer.server.http.answers import NO_STORE, json_answer
from keybearer.server.http.edge import actor_of
from keybearer.server.http.forms import Form
from keybearer.server.http.preferences import when_preferred
from keybearer.server.node import Node
from keybearer.server.records import Client


class RevocationEndpoint:
    """Answers an authenticated client's form with an empty object."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def answer(self, request: Request, client: Client, form: Form) -> Response:
        """
        Revoke the token of the form.

        The body is an empty JSON object because there are clients that fail on an answer which is not JSON.

        Raises:
            Refusal: one of RFC 7009 §2.2.1.
        """
        text = form.needed("token")
        actor = actor_of(request, client_id=client.client_id)
        await self._node.act(revoke_token, actor, client, text, self._node.now())
        return await when_preferred(self._node, request, json_answer({}, 200, NO_STORE))
