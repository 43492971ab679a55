"""Reads many records at once, for speed; whatever it does not accept is judged by `lines`, line by line."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import sha256
from itertools import compress
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec.structs import astuple

from keybearer.audit.entries import EntryOf, Salt, judge
from keybearer.audit.openings import check_openings
from keybearer.wire.activity_keys import SEALED, is_32_bytes


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


T = TypeVar("T")


class _ByField(msgspec.Struct, Generic[T], omit_defaults=True, forbid_unknown_fields=True, frozen=True, gc=False):
    """What there is for each field that can be sealed, in the order of `activity_keys.SEALED`."""

    address: T | None = None
    agent: T | None = None
    subject: T | None = None
    user: T | None = None
    words: T | None = None


_NOTHING: Final[_ByField[Any]] = _ByField()


class _Record(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What the line of a record says; the order is that of the keys."""

    details: _ByField[tuple[Salt, str]] = _NOTHING
    entry: EntryOf[_ByField[Salt]]
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
    except (IndexError, ValueError):
        return None


def _opened(records: Sequence[_Record]) -> dict[int, tuple[str, ...]]:
    """
    Open all that has a detail, and return by the index which fields have none.

    Raises:
        ValueError: a detail opens nothing, or what is left is not a commitment.
    """
    details = zip(*[astuple(record.details) for record in records], strict=True)
    erased = defaultdict(list)
    for field, told, committed in zip(SEALED, details, _commitments(records), strict=True):
        if not any(told) and not any(committed):
            continue  # most entries do not seal all fields
        for place in () if all(told) else _left(told, committed):
            erased[records[place].index].append(field)
        _open(field, told, committed)
    return {index: tuple(fields) for index, fields in sorted(erased.items())}


def _left(told: Sequence[Any], committed: Sequence[Any]) -> list[int]:
    """
    Return in which places of a column a commitment has no detail.

    Raises:
        ValueError: there is something else in the place of a commitment.
    """
    pairs = enumerate(zip(told, committed, strict=True))
    left = [place for place, (detail, commitment) in pairs if detail is None and commitment is not None]
    if not all(is_32_bytes(committed[place]) for place in left):
        raise ValueError("what is left is not a commitment")
    return left


def _open(field: str, told: Sequence[Any], committed: Sequence[Any]) -> None:
    """
    Open the commitments of a column that have a detail.

    Raises:
        ValueError: a detail opens nothing.
    """
    if not all(told):
        told, committed = list(compress(told, told)), list(compress(committed, told))
    if not all(committed):
        raise ValueError("there is a detail of a field that was not sealed")
    check_openings(field, told, committed)


def _commitments(records: Sequence[_Record]) -> Iterable[tuple[Any, ...]]:
    """
    Return the commitments of each field that can be sealed.

    Raises:
        ValueError: an entry has sealed nothing; then it says so by having no such key.
    """
    sealed = [record.entry.sealed for record in records]
    rows = [astuple(commitments or _NOTHING) for commitments in sealed]
    columns = list(zip(*rows, strict=True))
    if not any(map(all, columns)) and rows.count(astuple(_NOTHING)) > sealed.count(None):
        raise ValueError("one of the entries has sealed nothing")
    return columns


_decode: Final = msgspec.json.Decoder(_Record).decode_lines
_encode: Final = msgspec.json.Encoder().encode_lines
# Where an entry begins and ends in a record's line: no text has a quotation mark without a backslash in it.
_BEFORE: Final = b'"entry":'
_BEHIND: Final = b',"index":'
