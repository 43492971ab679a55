"""Random parts are random, evenly over their alphabet, and ids are in the order of time."""

from collections import Counter
from uuid import RFC_4122, UUID

from keybearer.server import secrets
from keybearer.wire.token_text import ALPHABET


def test_a_secret_is_32_characters_of_base62() -> None:
    secret = secrets.random_secret()
    assert len(secret) == 32
    assert set(secret) <= set(ALPHABET)


def test_every_character_is_as_likely_as_any_other() -> None:
    drawn = Counter("".join(secrets.random_secret() for _ in range(6_000)))
    expected = 6_000 * 32 / 62
    chi_square = sum((drawn[character] - expected) ** 2 / expected for character in ALPHABET)
    assert chi_square < 150  # 61 degrees of freedom: above 150 once in a thousand million runs


def test_a_client_id_never_reads_as_a_number() -> None:
    assert all(secrets.random_client_id()[0].isalpha() for _ in range(100))
    assert 4 <= len(secrets.random_client_id()) <= 64


def test_record_ids_are_uuids_of_version_7_in_the_order_of_time() -> None:
    earlier, later = secrets.record_id(1_700_000_000_000_000), secrets.record_id(1_700_000_000_001_000)
    assert earlier < later
    assert UUID(earlier).version == 7


def test_no_two_record_ids_of_one_moment_are_alike() -> None:
    made = {secrets.record_id(1_700_000_000_000_000) for _ in range(1_000)}
    assert len(made) == 1_000
    assert {(UUID(each).version, UUID(each).variant) for each in made} == {(7, RFC_4122)}


def test_a_digest_is_over_the_whole_text() -> None:
    assert len(secrets.digest("kb_pat_live_x")) == 32
    assert secrets.digest("kb_pat_live_x") != secrets.digest("kb_pat_test_x")
