"""The text of a token says what it is, and a mistyped one is known without a look-up."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keybearer.wire.token_text import ALPHABET, ENVIRONMENTS, KINDS, checksum, compose, kind_of, parse

SECRET = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
GOOD = compose("kb", "pat", "sandbox", SECRET)


def test_a_text_reads_prefix_kind_environment_secret_and_checksum() -> None:
    assert GOOD.startswith(f"kb_pat_test_{SECRET}")
    assert len(GOOD) == len("kb_pat_test_") + 32 + 6


@given(
    kind=st.sampled_from(sorted(KINDS)),
    environment=st.sampled_from(sorted(ENVIRONMENTS)),
    secret=st.text(ALPHABET, min_size=32, max_size=32),
)
def test_what_was_composed_is_parsed_again(kind: str, environment: str, secret: str) -> None:
    parsed = parse(compose("acme", kind, environment, secret))
    assert parsed is not None
    assert (parsed.prefix, parsed.kind, parsed.environment) == ("acme", kind, environment)


def test_a_text_that_cannot_be_a_token_is_of_no_kind() -> None:
    text = compose("acme", "ort", "live", "A" * 32)
    assert (kind_of(text), kind_of(text[:-1]), kind_of("")) == ("ort", None, None)


def test_the_checksum_is_the_crc32_in_base62_zero_padded() -> None:
    value = 0
    for character in checksum("kb_pat_live_x"):
        value = value * 62 + ALPHABET.index(character)
    assert value == zlib.crc32(b"kb_pat_live_x")
    assert len(checksum("")) == 6


@given(at=st.integers(0, len(GOOD) - 1), character=st.characters())
def test_any_one_changed_character_is_noticed(at: int, character: str) -> None:
    changed = GOOD[:at] + character + GOOD[at + 1 :]
    assert (parse(changed) is None) == (changed != GOOD)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(GOOD[:-1], id="truncated"),
        pytest.param(GOOD + "A", id="one character more"),
        pytest.param(GOOD.upper(), id="upper case"),
        pytest.param(f" {GOOD}", id="padded"),
        pytest.param(GOOD.replace("_", "%5F"), id="percent-encoded"),
        pytest.param(GOOD.replace("pat", "xyz"), id="unknown kind"),
        pytest.param(GOOD.replace("test", "prod"), id="unknown environment"),
        pytest.param(GOOD[:-1] + "\u0661", id="another script's digit"),
        pytest.param(GOOD + "\u202e", id="a direction mark"),
        pytest.param(GOOD + "\0", id="a NUL"),
        pytest.param("a" * 1_000_000, id="a million characters"),
        pytest.param("kb_pat_test_'; DROP TABLE tokens; --", id="SQL"),
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    assert parse(text) is None


@given(st.text())
def test_no_text_at_all_makes_the_parser_fail(text: str) -> None:
    parse(text)
