"""Entries of the activity log for tests: a typical call, and any that Hypothesis can think of."""

from typing import Any

from hypothesis import strategies as st

from keybearer.wire.activity import Entry, commitment
from keybearer.wire.activity_keys import LATENCIES_MS, MAX_INTEGER, OUTCOMES, SEALED
from keybearer.wire.token_text import ENVIRONMENTS

SALT = bytes(range(32))
VALUES = {
    "user": "31",
    "address": "203.0.113.77",
    "agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
}
CALL: dict[str, Any] = {
    "at": 1_764_111_600_000_000,
    "action": "api.called",
    "outcome": "done",
    "reporter": "rs_8dk2ks92k",
    "boot": "b8sk2kd82ksl2k3d",
    "n": 123_456,
    "team": 7,
    "environment": "live",
    "client": "client_8sk2ks92",
    "grant": "0192ab3c4d5e6f708192a3b4c5d6e7f8",
    "token": "0192ab3c4d5e6f708192a3b4c5d6e7f9",
    "token_last4": "aB3x",
    "method": "GET",
    "route": "/v2/teams/{team_id}/clients/{client_id}",
    "status": 200,
    "ms": 30,
    "request_id": "0192ab3c-4d5e-6f70-8192-a3b4c5d6e7f8",
}


def call(**changes: Any) -> Entry:
    """Make a typical call's entry, sealed with `VALUES` and one salt for all."""
    sealed = {field: commitment(field, SALT, value) for field, value in VALUES.items()}
    return Entry(**CALL | {"sealed": sealed} | changes)


def _letters(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


_IDENTIFIERS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
_NATURALS = st.integers(1, MAX_INTEGER)
_ROUTES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=512)

VALUES_OF_FIELDS = st.dictionaries(
    st.sampled_from(SEALED), st.text(st.characters(exclude_categories=["Cs"]), max_size=200), min_size=1
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Draw an entry with any of its parts there or not."""
    values = draw(st.none() | VALUES_OF_FIELDS)
    reporter, boot, n = draw(st.just((None, None, None)) | st.tuples(_IDENTIFIERS, _IDENTIFIERS, _NATURALS))
    return Entry(
        at=draw(_NATURALS),
        action=draw(_letters("[a-z][a-z0-9_]{0,20}(\\.[a-z][a-z0-9_]{0,9}){1,3}")),
        outcome=draw(st.sampled_from(OUTCOMES)),
        reporter=reporter,
        boot=boot,
        n=n,
        reason=draw(st.none() | _letters("[a-z][a-z0-9_]{0,63}")),
        team=draw(st.none() | _NATURALS),
        environment=draw(st.none() | st.sampled_from(ENVIRONMENTS)),
        client=draw(st.none() | _IDENTIFIERS),
        grant=draw(st.none() | _IDENTIFIERS),
        token=draw(st.none() | _IDENTIFIERS),
        token_last4=draw(st.none() | _letters("[0-9A-Za-z]{4}")),
        method=draw(st.none() | _letters("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}")),
        route=draw(st.none() | _ROUTES),
        status=draw(st.none() | st.integers(100, 599)),
        ms=draw(st.none() | st.sampled_from(LATENCIES_MS)),
        request_id=draw(st.none() | _letters("[ -~]{1,128}")),
        sealed=values and {field: commitment(field, SALT, value) for field, value in values.items()},
    )
