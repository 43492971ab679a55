"""Messages between verifier and node: what is written is read as it was, and nothing malformed is believed."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from keybearer.wire.feed import Event, Position, SyncAnswer, SyncQuestion
from keybearer.wire.messages import (
    Malformed,
    fetched_as_json,
    fetched_from_json,
    sync_answer_as_json,
    sync_answer_from_json,
    sync_question_as_json,
    sync_question_from_json,
)
from keybearer.wire.quota import Grant, Terms, grants_as_json, grants_from_json
from tests.verify.tokens import fetched

HEAD = Position("e1", 2, bytes(range(32)))
ANSWER = SyncAnswer("n", HEAD, (Event(2, "user.changed", "user:1", 5, bytes(range(32))),), False, 0.25)
PERSONAL, APPS = fetched("ada"), fetched("ada", client="c1")
GONE = object()


def as_sent(body: dict[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(json.dumps(body))
    return sent


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return *body* with another value at a dotted path, or without that part."""
    copy = deepcopy(body)
    *ways, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place: Any = copy
    for way in ways:
        place = place[way]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return copy


def test_a_question_is_read_as_it_was_written() -> None:
    question = SyncQuestion("n", HEAD)
    assert sync_question_from_json(as_sent(sync_question_as_json(question))) == question


@pytest.mark.parametrize("answer", [ANSWER, replace(ANSWER, events=(), is_reset=True)])
def test_an_answer_is_read_as_it_was_written(answer: SyncAnswer) -> None:
    assert sync_answer_from_json(as_sent(sync_answer_as_json(answer))) == answer


@pytest.mark.parametrize("token", [PERSONAL, APPS])
def test_a_token_is_read_as_it_was_written(token: Any) -> None:
    assert fetched_from_json(as_sent(fetched_as_json(token))) == token


def test_what_many_tokens_say_alike_is_one_text() -> None:
    one, other = (fetched_from_json(as_sent(fetched_as_json(APPS))).principal for _ in range(2))
    assert one.role is other.role
    assert one.environment is other.environment
    assert one.token_kind is other.token_kind
    assert one.client_id is other.client_id


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *[("nonce", value) for value in (GONE, "", None, 1)],
        *[("head", value) for value in (GONE, None, [], "e1")],
        *[("head.epoch", value) for value in (GONE, None, 1)],
        *[("head.seq", value) for value in (GONE, -1, "1", 1.5)],
        *[("head.hash", value) for value in (GONE, "", "zz" * 32, "ab" * 31, "ab" * 33, 7)],
        *[("age", value) for value in (GONE, None, "0", True, float("nan"), float("inf"), -float("inf"))],
        *[("reset", value) for value in (GONE, None, 0, "false")],
        *[("events", value) for value in (GONE, None, {}, "x", [None], [[]], [{}])],
        *[("events.0.0", value) for value in (GONE, "2", None, 2.0)],
        *[("events.0.1", value) for value in (None, 1)],
        *[("events.0.2", value) for value in (None, 1)],
        *[("events.0.3", value) for value in (None, "5")],
        *[("events.0.4", value) for value in (GONE, None, "", "xx")],
    ],
)
def test_a_malformed_answer_is_not_believed(path: str, value: Any) -> None:
    with pytest.raises(Malformed):
        sync_answer_from_json(changed(sync_answer_as_json(ANSWER), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [("nonce", ""), ("nonce", GONE), ("position", None), ("position.seq", -1), ("position.hash", "ab")],
)
def test_a_malformed_question_is_not_believed(path: str, value: Any) -> None:
    with pytest.raises(Malformed):
        sync_question_from_json(changed(sync_question_as_json(SyncQuestion("n", HEAD)), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *[("epoch", value) for value in (GONE, None)],
        *[("as_of", value) for value in (GONE, "0", None)],
        *[("remaining", value) for value in (GONE, None, "9", True, float("nan"), float("inf"))],
        *[(f"token.{name}", GONE) for name in fetched_as_json(APPS)["token"]],
        *[(f"token.{name}", []) for name in fetched_as_json(APPS)["token"]],
        *[(f"standing.{name}", GONE) for name in fetched_as_json(APPS)["standing"]],
        *[(f"standing.{name}", []) for name in fetched_as_json(APPS)["standing"]],
        *[("permissions", value) for value in (GONE, None, "people:read", [1])],
        *[("token", value) for value in (GONE, None)],
        *[("standing", value) for value in (GONE, None)],
    ],
)
def test_a_malformed_token_is_not_believed(path: str, value: Any) -> None:
    with pytest.raises(Malformed):
        fetched_from_json(changed(fetched_as_json(APPS), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *[(name, value) for name in ("limit", "window", "life") for value in (GONE, None, "9", 0, -1, 10**400)],
        *[("window", value) for value in (float("nan"), float("inf"), 0.5)],
        *[("grants", value) for value in (GONE, None, {}, [None], [[]])],
        *[("grants.0.2", value) for value in (None, "1", -1, 0)],
        *[("grants.0.4", value) for value in (None, "1", -1, float("nan"), float("inf"), 10**400)],
    ],
    ids=lambda value: "more than a float holds" if value == 10**400 else None,
)
def test_malformed_grants_are_not_believed(path: str, value: Any) -> None:
    written = grants_as_json(Terms(200, 60.0, 3.0), (Grant(1, 7, 5, 190, 0.0),))
    with pytest.raises(Malformed):
        grants_from_json(changed(written, path, value))
