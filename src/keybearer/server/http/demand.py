"""Checks that an accepted token has the permission that an endpoint demands."""

from starlette.requests import Request

from keybearer.server import refusals
from keybearer.server.http.edge import promise_headers
from keybearer.server.node import Node
from keybearer.wire.principal import Principal


def demand_permission(node: Node, request: Request, principal: Principal, permission: str) -> None:
    """
    Refuse a token that does not have the permission.

    Raises:
        Refusal: ``forbidden``; where only the narrowing stands in the way, the answer says so.
    """
    if not principal.can(permission):
        if principal.is_narrowed and permission in node.role_permissions[principal.role]:
            promise_too_narrow(request, permission)
        raise refusals.forbidden(f"demands {permission}")


def promise_too_narrow(request: Request, permission: str = "") -> None:
    """
    Say on the answer that the token is too narrow.

    Args:
        permission: what it lacks, if that has a name.

    Source: RFC 6750 §3.1 (``insufficient_scope``).
    """
    scope = f', scope="{permission}"' if permission else ""
    promise_headers(request, {"www-authenticate": f'Bearer realm="api", error="insufficient_scope"{scope}'})
