"""The rate limit as callers see it: what is left, and when to come back."""

import math
from typing import Final

from starlette.requests import Request

from keybearer.server.clock import SECOND
from keybearer.server.http.edge import promise_headers
from keybearer.server.limits.own_calls import LimitUsedUp
from keybearer.server.node import Node
from keybearer.server.refusals import Refusal
from keybearer.wire.principal import Principal
from keybearer.wire.quota import Left, used_up_in_words

LIMIT: Final = "x-ratelimit-limit"
REMAINING: Final = "x-ratelimit-remaining"
RESET: Final = "x-ratelimit-reset"


async def count_call(node: Node, request: Request, principal: Principal) -> None:
    """
    Count this call against what the user may do in the team, and say on its answer what is left.

    Raises:
        Refusal: ``too_many``: the limit is used up; the answer says when the next call is let through.
        StoreFault: nobody can say.
    """
    try:
        left = await node.own_calls.count(principal)
    except LimitUsedUp as used_up:
        reset_at = node.now() + round(used_up.wait_s * SECOND)
        headers = {LIMIT: str(used_up.limit), REMAINING: "0", RESET: str(-(-reset_at // SECOND))}
        promise_headers(request, headers)
        wait_s = math.ceil(used_up.wait_s)
        raise Refusal("too_many", used_up_in_words(wait_s), "rate limit", retry_after_s=wait_s) from None
    promise_headers(request, _headers_of(left))


def left_lines(left: Left) -> bytes:
    """Say what is left, as it stands in an answer."""
    return f"{LIMIT}: {left.limit}\r\n{REMAINING}: {left.remaining}\r\n".encode()


def _headers_of(left: Left) -> dict[str, str]:
    return {LIMIT: str(left.limit), REMAINING: str(left.remaining)}
