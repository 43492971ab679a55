"""What a verifier keeps of a token and of a place comes out as it went in, and takes little room."""

import struct
import sys

import pytest

from keybearer.verify.mirror import Mirror
from keybearer.wire.feed import Fetched
from keybearer.wire.packing import (
    environment_of,
    expires_at_of,
    ids_of,
    is_narrowed_in,
    is_of_grant,
    kind_of,
    membership_id_of,
    packed_place,
    packed_token,
    role_and_person_of,
    team_id_of,
)
from keybearer.wire.principal import Principal

UUIDS = ("019ab000-0001-7000-8000-00000000000a", "019ab000-0002-7000-8000-00000000000b")
MOST_BYTES = 380  # of one token of a user who has no other; the dictionaries around it take 60 to 150 more


@pytest.mark.parametrize("kind", ["pat", "oat"])
@pytest.mark.parametrize("is_narrowed", [True, False])
@pytest.mark.parametrize("expires_at", [-(2**63), 0, 1_795_000_000_000_000, 2**63 - 1])
@pytest.mark.parametrize(
    "ids",
    [
        pytest.param((*UUIDS, "aB3d"), id="UUIDs"),
        pytest.param(("t-1", "g-1", "aB3d"), id="other texts"),
        pytest.param((UUIDS[0], "g-1", "aB3d"), id="one UUID"),
        pytest.param((UUIDS[0].upper(), UUIDS[1], ""), id="a UUID in capitals"),
        pytest.param((UUIDS[0].replace("-", ""), UUIDS[1], "é"), id="a UUID without hyphens"),
        pytest.param(("", "\n", "x" * 100), id="no ids at all"),
    ],
)
def test_a_token_comes_out_as_it_went_in(
    kind: str, ids: tuple[str, str, str], expires_at: int, is_narrowed: bool
) -> None:
    packed = packed_token(kind, expires_at, is_narrowed=is_narrowed, ids=ids)
    told = (kind_of(packed), ids_of(packed), expires_at_of(packed), is_narrowed_in(packed))
    assert told == (kind, ids, expires_at, is_narrowed)
    is_of = [grant_id for grant_id in (*ids, *UUIDS, "g-1", "other") if is_of_grant(packed, grant_id)]
    assert set(is_of) == {ids[1]}


@pytest.mark.parametrize(
    "person", [("Ada Lovelace", "ada@example.com"), ("", ""), ("A\nB", "ü\r\n@x"), ("😀\0", "a@b")], ids=repr
)
@pytest.mark.parametrize(("environment", "role"), [("live", "owner"), ("sandbox", ""), ("live", "größte")])
def test_a_place_comes_out_as_it_went_in(environment: str, role: str, person: tuple[str, str]) -> None:
    packed = packed_place(2**62, 7, environment, role, person)
    assert (team_id_of(packed), membership_id_of(packed), environment_of(packed)) == (2**62, 7, environment)
    assert role_and_person_of(packed) == (role, *person)


@pytest.mark.parametrize(
    ("team_id", "environment", "role", "email"),
    [
        pytest.param(1, "test", "owner", "a@b", id="an environment that nobody has"),
        pytest.param(2**63, "live", "owner", "a@b", id="a number past all numbers"),
        pytest.param(1, "live", "owner\0", "a@b", id="a NUL in a role"),
        pytest.param(1, "live", "owner", "a\0@b", id="a NUL in an address"),
        pytest.param(1, "live", "owner", "\ud800@b", id="half a character"),
    ],
)
def test_what_no_place_has_is_refused(team_id: int, environment: str, role: str, email: str) -> None:
    with pytest.raises((ValueError, struct.error)):
        packed_place(team_id, 1, environment, role, ("Ada", email))


@pytest.mark.parametrize(
    ("kind", "expires_at", "token_id"),
    [
        pytest.param("ort", 0, "t", id="a kind that nobody bears"),
        pytest.param("pat", 2**63, "t", id="a time past all times"),
        pytest.param("pat", 0, "\ud800", id="half a character"),
        pytest.param("pat", 0, "t\0", id="a NUL"),
    ],
)
def test_what_no_token_has_is_refused(kind: str, expires_at: int, token_id: str) -> None:
    with pytest.raises((ValueError, struct.error)):
        packed_token(kind, expires_at, is_narrowed=False, ids=(token_id, "g", "abcd"))


def test_a_mirrored_token_takes_little_room() -> None:
    place = packed_place(5_000, 20_000, "live", "member", ("Ada Lovelace 123", "ada.lovelace@example.com"))
    token = packed_token("pat", 1_795_000_000_000_000, is_narrowed=False, ids=(*UUIDS, "abcd"))
    principal = Principal(10_000, place, frozenset({"team:read"}), None, token)
    entry = Mirror().insert(bytes(32), Fetched(principal, "e", 1, None, 1.0), 1, 1e6)
    assert entry is not None
    of_its_own = (bytes(32), entry, entry.deadline, entry.token, entry.place, entry.user_id)
    assert sum(sys.getsizeof(each) for each in of_its_own) <= MOST_BYTES
