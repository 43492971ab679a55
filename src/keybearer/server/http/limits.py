"""The rate limit as callers see it: what is left, and when to come back."""

from typing import Final

from starlette.requests import Request

from keybearer.server.clock import SECOND
from keybearer.server.http.edge import promise_headers
from keybearer.server.node import Node
from keybearer.server.refusals import Refusal
from keybearer.wire.principal import Principal

LIMIT: Final = "x-ratelimit-limit"
REMAINING: Final = "x-ratelimit-remaining"
RESET: Final = "x-ratelimit-reset"


def count_call(node: Node, request: Request, principal: Principal) -> None:
    """
    Count this call against what the user may do in the team, and say on its answer what is left.

    Raises:
        Refusal: ``too_many``: the limit is used up; the answer says when the next call is let through.
    """
    now = node.now()
    allowance = node.quotas.draw(principal.user_id, principal.team_id, now)
    headers = {LIMIT: str(allowance.limit), REMAINING: str(allowance.remaining)}
    if allowance.retry_after:
        headers[RESET] = str(-(-(now + allowance.retry_after) // SECOND))
    promise_headers(request, headers)
    if allowance.retry_after:
        wait_s = -(-allowance.retry_after // SECOND)
        public = f"The rate limit is used up. Wait {wait_s} second{'s' * (wait_s != 1)} before the next call."
        raise Refusal("too_many", public, "rate limit", retry_after_s=wait_s)
