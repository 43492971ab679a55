import base64
import json
import os
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from keybearer.wire import activity
from keybearer.wire.activity import Entry, commitment, entry_bytes, entry_from, open_details, seal
from tests.support.entries import CALL, SALT, VALUES, VALUES_OF_FIELDS, call, entries

COMMITTED = commitment("user", SALT, "31")
WRITTEN = entry_bytes(call())


def written(**changes: Any) -> bytes:
    """Say a typical call with some keys changed, or left out where None is given, whatever may become of it."""
    parts = CALL | {"sealed": {"user": COMMITTED}, "v": 1} | changes
    return rfc8785.dumps({name: value for name, value in parts.items() if value is not None})


@given(entries())
def test_an_entry_is_read_as_it_was_written_and_written_as_rfc_8785_writes_it(entry: Entry) -> None:
    data = entry_bytes(entry)
    parts = {name: value for name, value in entry._asdict().items() if value is not None} | {"v": 1}
    assert data == rfc8785.dumps(parts)
    assert data == json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert entry_from(data) == entry


def test_a_typical_call_is_said_in_these_bytes() -> None:
    entry = Entry(
        at=1_764_111_600_000_000, action="token.created", outcome="done", reporter="node", boot="b", n=1, route='/"\\é'
    )
    assert (
        entry_bytes(entry)
        == (
            '{"action":"token.created","at":1764111600000000,"boot":"b","n":1,"outcome":"done","reporter":"node",'
            '"route":"/\\"\\\\é","v":1}'
        ).encode()
    )


def test_a_commitment_is_the_hash_that_the_documentation_says() -> None:
    digest = sha256(b"kb1" + b"address" + b"\x00" + SALT + b"203.0.113.77").digest()
    assert commitment("address", SALT, "203.0.113.77") == base64.urlsafe_b64encode(digest).decode().rstrip("=")


@given(VALUES_OF_FIELDS)
def test_what_is_sealed_opens_with_its_details(values: dict[str, str]) -> None:
    sealed, details = seal(values, os.urandom)
    entry = call(sealed=sealed)
    assert open_details(entry, details) == values
    assert entry_from(entry_bytes(entry)) == entry
    assert len({salt for salt, _ in details.values()}) == len(values), "two fields share a salt"


def test_equal_values_do_not_show_in_the_commitments() -> None:
    sealed, _ = seal({"user": "same", "agent": "same"}, os.urandom)
    again, _ = seal({"user": "same", "agent": "same"}, os.urandom)
    assert len({*sealed.values(), *again.values()}) == 4


def test_a_field_without_its_detail_is_erased_and_the_others_still_open() -> None:
    sealed, details = seal(VALUES, os.urandom)
    del details["address"]
    assert open_details(call(sealed=sealed), details) == {name: VALUES[name] for name in ("user", "agent")}


def test_a_detail_that_is_not_what_was_sealed_is_named() -> None:
    sealed, details = seal(VALUES, os.urandom)
    entry = call(sealed=sealed)
    salt, value = details["user"]
    wrong: list[tuple[Any, str]] = [
        ({"user": [salt, value + "0"]}, "user is not what the entry was sealed with"),
        ({"user": [details["agent"][0], value]}, "user is not what the entry was sealed with"),
        ({"user": [salt[:-1], value]}, "the salt of user is not base64url of 32 bytes"),
        ({"user": [salt[:-1] + "_", value]}, "the salt of user is not base64url of 32 bytes"),
        ({"user": [salt]}, "the detail of user is not a salt and a value"),
        ({"user": [salt, 31]}, "the detail of user is not a salt and a value"),
        ({"user": None}, "the detail of user is not a salt and a value"),
        ({"subject": [salt, value]}, "the details have 'subject', which the entry does not"),
        ({"user": [salt, "\ud800"]}, "user is not text"),
        ({"user": [salt, "a" * 9000]}, "user is longer than 8192 bytes"),
    ]
    for details_given, problem in wrong:
        with pytest.raises(ValueError, match=problem):
            open_details(entry, details_given)


def test_what_cannot_be_sealed_is_refused() -> None:
    with pytest.raises(ValueError, match="colour is not a field that can be sealed"):
        seal({"colour": "red"}, os.urandom)
    with pytest.raises(ValueError, match="agent is longer than 8192 bytes"):
        seal({"agent": "é" * 4097}, os.urandom)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"", "not JSON in UTF-8", id="nothing"),
        pytest.param(b"\xff", "not JSON in UTF-8", id="no UTF-8"),
        pytest.param(b"[" * 9000, "not JSON in UTF-8", id="nine thousand brackets"),
        pytest.param(b"[]", "not an object", id="a list"),
        pytest.param(b"{}", "v is not 1", id="an empty object"),
        pytest.param(b" " * 16_385, "longer than 16384 bytes", id="too long"),
        pytest.param(WRITTEN + b"\n", "not written as RFC 8785", id="a newline behind"),
        pytest.param(b"\xef\xbb\xbf" + WRITTEN, "not JSON in UTF-8", id="a byte order mark"),
        pytest.param(WRITTEN.replace(b":30,", b": 30,"), "not written as RFC 8785", id="a space"),
        pytest.param(WRITTEN.replace(b'"ms":30,', b'"ms":30,"ms":30,'), "not written as RFC 8785", id="a key twice"),
        pytest.param(WRITTEN.replace(b"aB3x", b"\\u0061B3x"), "not written as RFC 8785", id="an escape too many"),
        pytest.param(WRITTEN.replace(b'"v":1', b'"v":true'), "not written as RFC 8785", id="true for one"),
        pytest.param(WRITTEN.replace(b'"v":1', b'"v":1.0'), "not written as RFC 8785", id="one point nought"),
        pytest.param(
            b'{"v":1,' + WRITTEN[1:].replace(b',"v":1', b""), "not written as RFC 8785", id="keys out of order"
        ),
        pytest.param(written(v=2), "v is not 1", id="another version"),
        pytest.param(written(v=None), "v is not 1", id="no version"),
        pytest.param(written(index=4), "unknown key, 'index'", id="an unknown key"),
        pytest.param(written(at=None), "has no at", id="no time"),
        pytest.param(written(boot=None), "one of reporter, boot and n", id="no boot"),
        pytest.param(written(boot=None, n=None), "one of reporter, boot and n", id="a reporter that does not count"),
        pytest.param(WRITTEN.replace(b'"team":7', b'"team":null'), "team is neither text", id="null"),
        pytest.param(written(client=["a"]), "client is neither text", id="a list for a text"),
        pytest.param(written(at=0), "at is not a whole number", id="a time before all times"),
        pytest.param(
            WRITTEN.replace(b"1764111600000000", b"9007199254740992"), "at is not a whole", id="a time too far"
        ),
        pytest.param(
            WRITTEN.replace(b'"n":123456', b'"n":1e5'), "n is not a whole number|neither text", id="an exponent"
        ),
        pytest.param(written(n=0), "n is not a whole number from 1", id="number nought"),
        pytest.param(written(team="7"), "team is not a whole number", id="a number as text"),
        pytest.param(written(team=True), "team is not a whole number", id="true for a number"),
        pytest.param(written(action="called"), "action is not noun.verb", id="an action without a verb"),
        pytest.param(written(action="A.b"), "action is not noun.verb", id="an action in capitals"),
        pytest.param(written(action="a." + "b" * 63), "action is not noun.verb", id="a long action"),
        pytest.param(written(outcome="good"), "outcome is not one of done, refused", id="an unknown outcome"),
        pytest.param(written(environment="test"), "environment is not one of live, sandbox", id="no environment"),
        pytest.param(written(reason="No!"), "reason is not a code", id="a sentence for a reason"),
        pytest.param(written(token="a b"), "token is not 1 to 64 characters", id="an identifier with a space"),
        pytest.param(written(token=""), "token is not 1 to 64 characters", id="an empty identifier"),
        pytest.param(written(grant="g" * 65), "grant is not 1 to 64 characters", id="a long identifier"),
        pytest.param(written(token_last4="abc"), "token_last4 is not four", id="three letters"),
        pytest.param(written(method="GET /"), "method is not a method", id="no method"),
        pytest.param(written(route="/a\nb"), "route is not 1 to 512 characters", id="a newline in a route"),
        pytest.param(written(route="/" * 513), "route is not 1 to 512 characters", id="a long route"),
        pytest.param(WRITTEN.replace(b"/v2", b"\\ud800"), "route is not 1 to 512", id="half a character"),
        pytest.param(written(status=99), "status is not a whole number from 100 to 599", id="no status"),
        pytest.param(written(ms=31), "ms is not one of 1, 3, 10", id="no latency class"),
        pytest.param(written(request_id="é"), "request_id is not 1 to 128", id="a request id that is not ASCII"),
        pytest.param(written(sealed={}), "sealed is not an object with something", id="nothing sealed"),
        pytest.param(written(sealed="x"), "sealed is not an object", id="sealed is text"),
        pytest.param(written(sealed={"name": COMMITTED}), "unknown field, 'name'", id="an unknown field sealed"),
        pytest.param(
            written(sealed={"user": "31"}), "user is not base64url of 32 bytes", id="a value for a commitment"
        ),
        pytest.param(written(sealed={"user": COMMITTED[:-1] + "_"}), "not base64url of 32", id="bits left over"),
    ],
)
def test_what_is_no_entry_is_refused_and_what_is_wrong_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        entry_from(data)


@given(st.binary(max_size=100) | st.integers(0, len(WRITTEN) - 1).map(lambda place: flipped(WRITTEN, place)))
def test_whatever_is_read_as_an_entry_is_one_or_refused(data: bytes) -> None:
    try:
        entry = entry_from(data)
    except ValueError:
        return
    assert entry_bytes(entry) == data


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_an_entry_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(ValueError, match="action is not noun"):
        entry_bytes(call(action="whatever"))


@pytest.mark.parametrize(
    ("ms", "expected"),
    [(0.2, 1), (1.0, 1), (1.1, 3), (9.9, 10), (999.0, 1000), (10_000.0, 10_000), (60_000.0, 10_000)],
)
def test_a_time_is_told_by_its_class(ms: float, expected: int) -> None:
    assert activity.latency_class(ms) == expected


def test_what_an_api_says_itself_is_canonical_text_or_refused() -> None:
    words: dict[str, str | int] = {"note": 'ä"\n', "client": 7832, "again": True}
    assert activity.words_text(words).encode() == rfc8785.dumps(words)
    for wrong in ({"né": 1}, {"much": 2**53}):
        with pytest.raises(ValueError, match="is recorded as"):
            activity.words_text(wrong)
    for unsealable in ({"note": "\ud800"}, {"note": "é" * 4_096}):
        with pytest.raises(ValueError, match="words is"):
            activity.words_text(unsealable)
