"""``/token``: what the presented token is, and its own way to end."""

from starlette.responses import Response

from keybearer.server.actions.revoke_presented_token import revoke_presented_token
from keybearer.server.api.endpoints import Call, Demand, Endpoint, telling
from keybearer.server.api.shapes import time_or_null
from keybearer.server.clock import as_wire
from keybearer.server.http.answers import empty_answer
from keybearer.server.http.preferences import when_preferred
from keybearer.server.node import Node
from keybearer.server.reads.presented_token import presented_token
from keybearer.wire.principal import Principal


async def show_token(node: Node, principal: Principal) -> dict[str, object]:
    """Tell what the token is and what it may do right now."""
    token = await presented_token(node.database, principal.token_id)
    return {
        "object": "token",
        "kind": principal.token_kind,
        "name": token.name,
        "user": {
            "object": "user",
            "id": principal.user_id,
            "name": principal.user_name,
            "email": principal.user_email,
        },
        "team": {
            "object": "team",
            "id": principal.team_id,
            "identifier": token.team_identifier,
            "name": token.team_name,
        },
        "role": principal.role,
        "permissions": sorted(principal.permissions),
        "environment": principal.environment,
        "created_at": as_wire(token.created_at),
        "expires_at": as_wire(principal.expires_at),
        "last_used_at": time_or_null(token.last_used_at),
    }


async def revoke_token(call: Call) -> Response:
    """Revoke the token that the call came with; nothing else ends."""
    node = call.node
    await node.act(revoke_presented_token, call.actor, call.principal, node.now())
    return await when_preferred(node, call.request, empty_answer())


ENDPOINTS = (
    telling("/token", Demand.AUTHENTICATED, show_token),
    Endpoint("DELETE", "/token", Demand.AUTHENTICATED, revoke_token),
)
