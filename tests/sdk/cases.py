"""What every framework answers to the same calls: one table, so that they agree."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from keybearer.testing import Recorded, Records

METADATA = "https://people.example.com/.well-known/oauth-protected-resource"
READ = "people:read"
WRITE = "people:write"
_REST = f', resource_metadata="{METADATA}"'
MISSING = f'Bearer realm="api"{_REST}'
INVALID = f'Bearer realm="api", error="invalid_token", error_description="The token is not accepted."{_REST}'
INSUFFICIENT = (
    'Bearer realm="api", error="insufficient_scope", error_description="The token does not allow this.", '
    f'scope="people:write"{_REST}'
)
UNAUTHENTICATED = {"error": "Unauthenticated."}
UNAUTHORIZED = {"message": "This action is unauthorized."}


RECORDED = [
    ("done", 200, None),
    ("done", 200, None),
    ("refused", 403, "insufficient_scope"),
    ("refused", 401, "revoked"),
    ("done", 200, None),
    ("done", 200, None),
    ("refused", 429, "rate_limited"),
]


class Tokens(Protocol):
    """A double, of either kind."""

    is_away: bool
    reporter: Records

    @property
    def recorded(self) -> list[Recorded]: ...

    def issue(self, *, user_id: int = 1, permissions: Any = ()) -> str: ...

    def revoke(self, token: str) -> None: ...

    def limit_calls(self, calls: int | None) -> None: ...


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    body: Any
    challenge: str | None
    retry_after: str | None
    limits: tuple[str | None, ...] = field(compare=False)


LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining")
Call = Callable[[str, str, list[str]], Awaitable[Reply]]

# The headers of a call with the token `{}`, and what is answered to a read.
HEADERS = [
    pytest.param(["Bearer {}"], 200, None, id="a good token"),
    pytest.param(["bearer {}"], 200, None, id="the scheme in lower case"),
    pytest.param(["BEARER {}"], 200, None, id="the scheme in upper case"),
    pytest.param(["Bearer {} \t"], 200, None, id="blanks at the end"),
    pytest.param([], 401, MISSING, id="no header"),
    pytest.param([""], 401, MISSING, id="a blank header"),
    pytest.param(["Bearer"], 401, MISSING, id="the scheme alone"),
    pytest.param(["Basic {}"], 401, MISSING, id="another scheme"),
    pytest.param(["{}"], 401, MISSING, id="no scheme"),
    pytest.param(["Bearer {}x"], 401, INVALID, id="a character more"),
    pytest.param(["Bearer  {}"], 401, INVALID, id="two blanks"),
    pytest.param(["Bearer {}, Bearer {}"], 401, INVALID, id="joined by a comma"),
]


async def every_answer_is_the_references(call: Call, tokens: Tokens, *, tells_limits: bool = True) -> None:
    """Go through what may happen to a call, on an API that lists people (read) and adds one (write)."""
    reader, writer = tokens.issue(user_id=5, permissions=[READ]), tokens.issue(permissions=[READ, WRITE])
    assert await call("GET", "/people", [f"Bearer {reader}"]) == Reply(200, {"user": 5}, None, None, ())
    assert (await call("POST", "/people", [f"Bearer {writer}"])).status == 200
    assert await call("POST", "/people", [f"Bearer {reader}"]) == Reply(403, UNAUTHORIZED, INSUFFICIENT, None, ())
    two = await call("GET", "/people", [f"Bearer {reader}", f"Bearer {reader}"])
    assert (two.status, two.body) == (401, UNAUTHENTICATED)
    in_query = await call("GET", f"/people?access_token={reader}", [])
    assert in_query == Reply(401, UNAUTHENTICATED, MISSING, None, ())
    tokens.revoke(reader)
    assert await call("GET", "/people", [f"Bearer {reader}"]) == Reply(401, UNAUTHENTICATED, INVALID, None, ())
    await _past_the_limit_429(call, tokens, writer, tells_limits)
    if tells_limits:
        await _each_call_is_recorded(call, tokens, writer)
    tokens.is_away = True
    away = await call("GET", "/people", [f"Bearer {writer}"])
    assert (away.status, away.challenge, away.retry_after) == (503, None, "1")
    assert (await call("GET", "/health", [])).status == 200


async def _past_the_limit_429(call: Call, tokens: Tokens, token: str, tells_limits: bool) -> None:
    tokens.limit_calls(2)
    left = [(await call("GET", "/people", [f"Bearer {token}"])).limits for _ in range(2)]
    assert left == ([("2", "1"), ("2", "0")] if tells_limits else [(None, None)] * 2)
    over = await call("GET", "/people", [f"Bearer {token}"])
    message = "The rate limit is used up. Wait 1 second before the next call."
    assert over == Reply(429, {"message": message}, None, "1", ())
    assert over.limits == (("2", "0") if tells_limits else (None, None))
    tokens.limit_calls(None)


async def _each_call_is_recorded(call: Call, tokens: Tokens, token: str) -> None:
    outcomes = [each.outcome for each in tokens.recorded]
    assert [(outcome.outcome, outcome.status, outcome.reason) for outcome in outcomes] == RECORDED
    assert {each.bearer.user_id for each in tokens.recorded} == {1, 5}
    tokens.reporter.is_full = True
    full = await call("GET", "/people", [f"Bearer {token}"])
    assert (full.status, full.retry_after) == (503, "5")
    tokens.reporter.is_full = False
    await call("GET", "/people", [f"Bearer {token}"])
    [*_, last] = tokens.recorded
    assert last.asked.method == "GET"
    assert (last.outcome.route or "").endswith("/people")
