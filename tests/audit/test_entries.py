"""The fast readers judge as `wire.activity` and `audit.lines` do, only faster."""

import re
from base64 import b64encode
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keybearer.audit.batches import batch_from
from keybearer.audit.entries import ReadEntry, read_entries, read_entry
from keybearer.audit.lines import BadLine, RecordLine, line_from, record_line
from keybearer.wire.activity import Details, Entry, entry_bytes, entry_from, seal
from keybearer.wire.activity_keys import JUDGES
from keybearer.wire.merkle import leaf_hash
from tests.support.entries import CALL, SALT, VALUES_OF_FIELDS, call, entries

WRITTEN = entry_bytes(call())


def said(entry: Entry | ReadEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in JUDGES}


def is_entry(data: bytes) -> bool:
    try:
        entry_from(data)
    except ValueError:
        return False
    return True


@st.composite
def nearly_entries(draw: st.DrawFn) -> bytes:
    """Draw an entry's bytes with a piece of them replaced: by nothing, by another piece, or by what JSON is made of."""
    data = entry_bytes(draw(entries())) if draw(st.booleans()) else WRITTEN
    first = draw(st.integers(0, len(data) - 1))
    end = draw(st.integers(first, min(len(data), first + 20)))
    other = draw(st.integers(0, len(data) - 1))
    piece = draw(
        st.sampled_from(
            [b"", b" ", b"\n", b",", b"0", b"1.0", b"null", b"true", b'"', b"\\u0041", b"\xff", b"\xc3\xa9"]
        )
        | st.just(data[other : other + 10])
    )
    return data[:first] + piece + data[end:]


@settings(max_examples=50)
@given(entries())
def test_an_entry_is_read_fast_as_it_is_read_slowly(entry: Entry) -> None:
    assert said(read_entry(entry_bytes(entry))) == entry._asdict()


@given(nearly_entries())
@example(b"")
@example(b"\n")
@example(WRITTEN + b"\n")
@example(WRITTEN + b"\n" + WRITTEN)
@example(WRITTEN.replace(b'"ms":30', b'"ms":30.0'))
@example(WRITTEN.replace(b'"n":123456,', b""))
@example(WRITTEN.replace(b'"team":7', b'"team":null'))
@example(WRITTEN.replace(b'"outcome":"done",', b'"outcome":"done","outcome":"done",'))
def test_what_is_nearly_an_entry_is_refused_fast_as_it_is_slowly(data: bytes) -> None:
    if is_entry(data):
        assert said(read_entry(data)) == entry_from(data)._asdict()
        return
    with pytest.raises(ValueError, match="entry"):
        read_entry(data)
    if b"\n" not in data:
        with pytest.raises(ValueError, match=r"entries|reporter|sealed|JSON|Object|Expected|entry|Invalid|utf-8"):
            read_entries(b"\n".join([WRITTEN, data, WRITTEN]))


def test_many_entries_are_read_in_their_order() -> None:
    datas = [entry_bytes(call(n=n)) for n in range(1, 9)]
    assert [entry.n for entry in read_entries(b"\n".join(datas))] == list(range(1, 9))


def placed(index: int, entry: Entry, details: Details) -> bytes:
    data = entry_bytes(entry)
    return record_line((index, leaf_hash(data)), data, details) + b"\n"


@settings(max_examples=30)
@given(st.lists(st.tuples(entries(), VALUES_OF_FIELDS | st.just({}), st.booleans()), min_size=2, max_size=4))
def test_records_are_read_together_as_they_are_one_by_one(drawn: list[tuple[Entry, dict[str, str], bool]]) -> None:
    lines = []
    for index, (entry, values, is_erased) in enumerate(drawn):
        sealed, details = seal(values | {"user": "31"}, lambda count: (SALT * 5)[:count])
        parts = entry._asdict() | {"sealed": sealed, "at": CALL["at"]}
        lines.append(placed(index, Entry(**parts), {} if is_erased else details))
    one_by_one = [line_from(line) for line in lines]
    batch = batch_from(lines)
    if batch is not None:
        assert batch.teams == {entry.team for entry, _, _ in drawn}
        assert one_by_one == [
            RecordLine(index, team, leaf, batch.erased.get(index, ()))
            for index, (team, leaf) in enumerate(zip([each[0].team for each in drawn], batch.leaves, strict=True))
        ]


@given(st.data())
def test_a_record_that_is_refused_alone_is_not_read_among_others(data: st.DataObject) -> None:
    sealed, details = seal({"user": "3", "agent": "curl/8"}, lambda count: (SALT * 5)[:count])
    lines = [placed(n, call(n=n + 1, sealed=sealed), details) for n in range(3)]
    assert batch_from(lines) is not None
    first = data.draw(st.integers(0, len(lines[1]) - 2))
    piece = data.draw(
        st.sampled_from([b"", b"1", b"A", b" ", b'"', b"-", b"_", b"\\", b"\xff", lines[1][first : first + 9]])
    )
    lines[1] = lines[1][:first] + piece + lines[1][first + 1 :]
    alone = None
    with suppress(BadLine):
        alone = line_from(lines[1])
    batch = batch_from(lines)
    if batch is not None:
        assert isinstance(alone, RecordLine)
        assert (alone.leaf, alone.erased) == (batch.leaves[1], batch.erased.get(1, ()))


@pytest.mark.parametrize(
    ("sealed", "is_read"),
    [
        pytest.param(b'"sealed":{"user":"' + b"A" * 43 + b'"},', True, id="a commitment whose detail was erased"),
        pytest.param(b'"sealed":{"user":"' + b"A" * 42 + b'B"},', False, id="what is no commitment"),
        pytest.param(b'"sealed":{"user":null},', False, id="null"),
        pytest.param(b'"sealed":{},', False, id="nothing, and it says so"),
        pytest.param(b"", True, id="nothing"),
    ],
)
def test_among_others_an_entry_has_sealed_something_or_has_no_such_key(sealed: bytes, *, is_read: bool) -> None:
    data = re.sub(rb'"sealed":{[^}]*},', sealed, WRITTEN)
    leaf = b64encode(leaf_hash(data))
    line = b'{"entry":%b,"index":0,"leaf":"%b"}\n' % (data, leaf)
    assert (batch_from([line]) is not None) is is_read
    if not is_read:
        with pytest.raises(BadLine):
            line_from(line)
