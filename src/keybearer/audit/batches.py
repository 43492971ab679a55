"""Many records at once, in a fraction of the time: what passes here is what `lines` would let pass, line by line."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec
from msgspec.structs import astuple

from keybearer.audit.entries import ReadEntry, Salt, judge
from keybearer.audit.openings import check_openings
from keybearer.wire.activity_keys import is_32_bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """
    Records that follow each other and each agree with themselves.

    Args:
        first: the index of the first one.
        teams: the teams that they name.
        leaves: their hashes.
        erased: by the index, which sealed fields have no detail.
    """

    first: int
    teams: AbstractSet[int | None]
    leaves: Sequence[bytes]
    erased: Mapping[int, tuple[str, ...]]


_Detail = tuple[Salt, str]


class _Details(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, frozen=True, gc=False):
    """What opens a record's commitments: a salt and a value of each field that can be sealed, in their order."""

    address: _Detail | None = None
    agent: _Detail | None = None
    subject: _Detail | None = None
    user: _Detail | None = None
    words: _Detail | None = None


_NO_DETAILS: Final = _Details()


class _Record(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What the line of a record says; the order is that of the keys."""

    details: _Details = _NO_DETAILS
    entry: ReadEntry
    index: int
    leaf: bytes


def batch_from(lines: Sequence[bytes]) -> Batch | None:
    """
    Read lines that are records with an index each, one after the other.

    Returns:
        None if one of them is not, or is not as plain as most are: then they have to be looked at one by one.
    """
    block = b"".join(lines)
    try:
        records = _decode(block)
        if _encode(records) != block:  # each key once, in its place, without spaces: there is one way to write a line
            return None
        behind = [line.partition(_BEFORE)[2] for line in lines]
        written = [line[: line.rindex(_BEHIND)] for line in behind]
        leaves = [sha256(b"\x00" + entry).digest() for entry in written]
        first = records[0].index
        indexes = [record.index for record in records]
        if [record.leaf for record in records] != leaves or indexes != list(range(first, first + len(leaves))):
            return None
        judge([record.entry for record in records], b"".join(written))
        return Batch(first, {record.entry.team for record in records}, leaves, _opened(records))
    except (IndexError, KeyError, ValueError):
        return None


def _opened(records: Sequence[_Record]) -> dict[int, tuple[str, ...]]:
    """
    Open all that has a detail, and return by the index which fields have none.

    Raises:
        KeyError, ValueError: a detail opens nothing, or what is left is no commitment.
    """
    sealed = [record.entry.sealed or {} for record in records]
    columns = zip(*[astuple(record.details) for record in records], strict=True)
    fields = zip(_Details.__struct_fields__, columns, strict=True)
    opened = sum([_open(field, details, sealed) for field, details in fields])
    if sum(map(len, sealed)) == opened:
        return {}
    erased: dict[int, tuple[str, ...]] = {}
    for record, commitments in zip(records, sealed, strict=True):
        left = {field: committed for field, committed in commitments.items() if getattr(record.details, field) is None}
        if not all(map(is_32_bytes, left.values())):
            raise ValueError("what is left is no commitment")
        if left:
            erased[record.index] = tuple(left)
    return erased


def _open(field: str, details: Sequence[_Detail | None], sealed: Sequence[Mapping[str, str]]) -> int:
    """Open one field of the records that have a detail of it, and return how many they are."""
    told = [detail for detail in details if detail is not None]
    if len(told) < len(details):
        sealed = [commitments for commitments, detail in zip(sealed, details, strict=True) if detail is not None]
    if told:
        check_openings(field, told, [commitments[field] for commitments in sealed])
    return len(told)


_decode: Final = msgspec.json.Decoder(_Record).decode_lines
_encode: Final = msgspec.json.Encoder(order="deterministic").encode_lines  # which sorts details and what is sealed
_BEFORE: Final = b'"entry":'  # where an entry begins in a record's line, and where it ends; in no text is a mark
_BEHIND: Final = b',"index":'  # of quotation without a backslash
