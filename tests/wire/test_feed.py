"""Whom an event concerns, what it ends, and what binds it to those before it."""

import pytest

from keybearer.wire.feed import EVERYTHING, NO_HASH, Event, Reach, chain_hash, ended_id, reach_of


@pytest.mark.parametrize(
    ("subject", "reach"),
    [
        ("token:t:g:1:2", Reach(1, 2, None, "g")),
        ("family:f:g:1:2", Reach(1, 2, None, "g")),
        ("grant:g:1:2", Reach(1, 2, None, "g")),
        ("membership:1:2", Reach(1, 2)),
        ("user:1", Reach(1)),
        ("team:2", Reach(None, 2)),
        ("client:c", Reach(client_id="c")),
        ("session:s", None),
    ],
)
def test_a_subject_says_whom_it_concerns(subject: str, reach: Reach | None) -> None:
    assert reach_of(subject) == reach


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "user",
        "user:",
        "user:x",
        "user:1:2",
        "user:1.0",
        "user:" + "9" * 5_000,
        "team:",
        "membership:1",
        "membership::2",
        "client:",
        "grant::1:2",
        "grant:g:1",
        "token:t::1:2",
        "family:f:g:1:",
        "planet:mars",
        "USER:1",
    ],
)
def test_what_cannot_be_read_concerns_everybody(subject: str) -> None:
    assert reach_of(subject) == EVERYTHING


@pytest.mark.parametrize(
    ("kind", "subject", "ended"),
    [
        ("token.ended", "token:t:g:1:2", "t"),
        ("token.deleted", "token:t:g:1:2", "t"),
        ("family.ended", "family:f:g:1:2", "f"),
        ("grant.ended", "grant:g:1:2", "g"),
        ("token.changed", "token:t:g:1:2", None),
        ("token.ended", "grant:g:1:2", None),
        ("token.ended", "token", None),
        ("user.deleted", "user:1", None),
        ("ended", "token:t:g:1:2", None),
        ("", "", None),
    ],
)
def test_only_the_end_of_a_token_family_or_grant_is_for_good(kind: str, subject: str, ended: str | None) -> None:
    assert ended_id(Event(1, kind, subject, 1, NO_HASH)) == ended


def test_a_hash_is_bound_to_each_part_and_to_the_one_before() -> None:
    variants = [
        (NO_HASH, 1, "a.b", "c", 2),
        (bytes([1] * 32), 1, "a.b", "c", 2),
        (NO_HASH, 2, "a.b", "c", 2),
        (NO_HASH, 1, "a.x", "c", 2),
        (NO_HASH, 1, "a.b", "x", 2),
        (NO_HASH, 1, "a.b", "c", 3),
    ]
    assert len({chain_hash(*parts) for parts in variants}) == len(variants)
