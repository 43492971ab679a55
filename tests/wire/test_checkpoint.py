import base64
from contextlib import suppress
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from keybearer.wire.checkpoint import BadNote, Checkpoint, VerifierKey, key_from, opened, origin_of, signed

# The example of Go's package golang.org/x/mod/sumdb/note, where the format comes from.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SERVER = VerifierKey("auth.example.com/activity", PRIVATE.public_key().public_bytes_raw())
ORIGIN = "auth.example.com/activity/team/7/2026-11"
KEY = SERVER.named(ORIGIN)
CHECKPOINT = Checkpoint(ORIGIN, 17, sha256(b"root").digest())
NOTE = signed(CHECKPOINT, KEY, PRIVATE.sign)


def is_signed(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def test_a_note_of_gos_own_is_read_with_its_key() -> None:
    """Only what comes after the signature is held against it: it is no checkpoint."""
    with pytest.raises(BadNote, match="not have exactly three lines"):
        opened(NEUMANN_NOTE, key_from(NEUMANN), is_signed)
    with pytest.raises(BadNote, match="a signature that PeterNeumann did not make"):
        opened(NEUMANN_NOTE.replace("think", "thank"), key_from(NEUMANN), is_signed)


def test_a_key_is_written_as_gos_tools_write_it() -> None:
    key = key_from(NEUMANN)
    assert (key.name, key.key_id.hex(), key.text) == ("PeterNeumann", "c74f20a3", NEUMANN)


def test_a_checkpoint_has_the_three_lines_of_its_specification() -> None:
    text, signature = NOTE.split("\n\n")
    assert text.split("\n") == [ORIGIN, "17", base64.b64encode(CHECKPOINT.root).decode()]
    assert signature.startswith(f"— {ORIGIN} ")
    assert signature.endswith("\n")


@given(st.integers(0, 2**53 - 1), st.binary(min_size=32, max_size=32), st.sampled_from(["a", ORIGIN, "é.example/x"]))
def test_what_is_signed_is_read_again(size: int, root: bytes, origin: str) -> None:
    key = VerifierKey(origin, SERVER.key)
    note = signed(Checkpoint(origin, size, root), key, PRIVATE.sign)
    assert opened(note, key_from(key.text), is_signed) == Checkpoint(origin, size, root)
    assert origin_of(note) == origin


def test_signatures_of_witnesses_are_passed_over() -> None:
    witness = Ed25519PrivateKey.from_private_bytes(bytes(32))
    line = base64.b64encode(b"wits" + witness.sign(b"anything")).decode()
    assert opened(f"{NOTE}— witness.example/w {line}\n", KEY, is_signed) == CHECKPOINT
    assert opened(NOTE.replace("\n\n", f"\n\n— witness.example/w {line}\n"), KEY, is_signed) == CHECKPOINT


def test_one_key_stands_for_the_logs_below_its_name_only() -> None:
    assert SERVER.named(SERVER.name) == SERVER
    assert SERVER.named(ORIGIN).key == SERVER.key
    for foreign in ("auth.example.com", "auth.example.com/activity2/team/7", "evil.example/auth.example.com/activity/"):
        with pytest.raises(BadNote, match="is not one of"):
            SERVER.named(foreign)


def with_line(number: int, text: str) -> str:
    """Sign a note one of whose first three lines is another."""
    lines = CHECKPOINT.text.split("\n")
    lines[number] = text
    return signed_text("\n".join(lines))


def signed_text(text: str) -> str:
    return f"{text}\n— {KEY.name} {base64.b64encode(KEY.key_id + PRIVATE.sign(text.encode())).decode()}\n"


ROOT_LINE = CHECKPOINT.text.split("\n")[2]


@pytest.mark.parametrize(
    ("note", "problem"),
    [
        pytest.param("", "no signature", id="nothing"),
        pytest.param(CHECKPOINT.text, "no signature", id="no signature"),
        pytest.param(NOTE[:-1], "does not end with a line's end", id="cut off"),
        pytest.param(NOTE.replace("\n\n— ", "\n\n- "), "among its signatures that is not one", id="hyphen for dash"),
        pytest.param(NOTE + "\n", "does not end with a line's end", id="an empty line at the end"),
        pytest.param(NOTE.replace("\n17\n", "\r\n17\n"), "control characters", id="a carriage return"),
        pytest.param(NOTE.replace("\n17\n", "\n18\n"), "did not make", id="another size"),
        pytest.param(NOTE.replace(f"— {ORIGIN}", "— other"), "not signed by", id="another name"),
        pytest.param(NOTE.replace("=\n", "\n"), "not base64", id="base64 cut off"),
        pytest.param(NOTE + " " * 70_000, "longer than a note can be", id="too long"),
        pytest.param(with_line(0, ""), "not have exactly three lines", id="no origin"),
        pytest.param(with_line(0, "a b"), "not have exactly three lines", id="an origin with a space"),
        pytest.param(with_line(1, "017"), "not a whole number", id="a size with a leading zero"),
        pytest.param(with_line(1, "-1"), "not a whole number", id="a size below nothing"),
        pytest.param(with_line(1, "\u0661\u0667"), "not a whole number", id="a size in other digits"),
        pytest.param(with_line(1, "9" * 5000), "not a whole number", id="a size of five thousand digits"),
        pytest.param(with_line(2, "AAAA"), "not 32 bytes", id="a short root"),
        pytest.param(
            with_line(2, ROOT_LINE[:-2] + "J="), "not base64 as it is written", id="bits left over in the root"
        ),
        pytest.param(signed_text(CHECKPOINT.text + "more\n"), "not have exactly three lines", id="an extension"),
        pytest.param(NOTE + "— x AAAA\n", "too short", id="a signature without one"),
        pytest.param("\ud800" + NOTE, "control characters", id="half a character"),
    ],
)
def test_a_note_that_is_not_whole_is_not_believed(note: str, problem: str) -> None:
    with pytest.raises(BadNote, match=problem):
        opened(note, KEY, is_signed)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "name\\+id\\+key", id="nothing"),
        pytest.param("name+00000000", "name\\+id\\+key", id="two parts"),
        pytest.param(NEUMANN.replace("c74f20a3", "c74f20a4"), "has the id c74f20a3", id="another id"),
        pytest.param(NEUMANN.replace("Peter", "Paul"), "has the id", id="another name"),
        pytest.param("x+00000000+AQ==", "not an Ed25519 key", id="a short key"),
        pytest.param("x+00000000+Ag" + "A" * 42, "not an Ed25519 key", id="another kind of key"),
        pytest.param("x+00000000+!", "not base64", id="no base64"),
        pytest.param("a b+00000000+AQ==", "name\\+id\\+key", id="a name with a space"),
    ],
)
def test_a_key_that_is_not_whole_is_not_taken(text: str, problem: str) -> None:
    with pytest.raises(BadNote, match=problem):
        key_from(text)


@given(st.text(max_size=40), st.integers(0, len(NOTE)))
def test_whatever_is_read_as_a_note_is_refused_by_its_one_exception(text: str, place: int) -> None:
    for note in (text, NOTE[:place] + text + NOTE[place:]):
        if note != NOTE:
            with suppress(BadNote):
                assert opened(note, KEY, is_signed) == CHECKPOINT  # another's signature may have been added


def test_an_origin_that_no_note_could_carry_is_not_signed() -> None:
    for origin in ("", "a b", "a+b", "a\nb"):
        with pytest.raises(ValueError, match="an origin without spaces"):
            signed(Checkpoint(origin, 1, bytes(32)), KEY, PRIVATE.sign)
