"""Many records at once, in a third of the time: what passes here is what `lines` would let pass, line by line."""

from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final

import msgspec

from keybearer.audit.entries import ReadEntry, read_entries
from keybearer.audit.lines import readable
from keybearer.wire.activity import MAX_VALUE_BYTES, OPENINGS

_Salt = Annotated[str, msgspec.Meta(min_length=43, max_length=43)]


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


class _Core(msgspec.Struct, gc=False):
    """What the whole line of a record can be worked out from."""

    index: int
    entry: str
    details: dict[str, tuple[_Salt, str]] = {}


def batch_from(lines: bytes) -> Batch | None:
    """
    Read lines that are records, written as `lines.record_line` writes them, with an index each.

    Returns:
        None if one of them is not: then they have to be looked at one by one.
    """
    try:
        cores = _decode(lines)
        texts = [core.entry for core in cores]
        block = "\n".join(texts).encode()
        entries = read_entries(block)
        opened = _opened(cores, entries)
        first = cores[0].index
        rows = [
            readable(index, core.entry, entry, core.details or None, values)
            for index, (core, entry, values) in enumerate(zip(cores, entries, opened, strict=True), first)
        ]
    except (IndexError, KeyError, ValueError):
        return None
    if _encode(rows) != lines:
        return None
    leaves = [sha256(b"\x00" + data).digest() for data in block.split(b"\n")]
    erased = {
        index: tuple(field for field in entry.sealed if field not in values)
        for index, (entry, values) in enumerate(zip(entries, opened, strict=True), first)
        if entry.sealed and len(values) != len(entry.sealed)
    }
    return Batch(first, {entry.team for entry in entries}, leaves, erased)


def _opened(cores: Sequence[_Core], entries: Sequence[ReadEntry]) -> list[dict[str, str]]:
    """
    Open the commitments of all records, as `activity.open_details` opens those of one.

    Raises:
        KeyError: a detail has no commitment.
        ValueError: one does not open.
    """
    opened = []
    for core, entry in zip(cores, entries, strict=True):
        sealed, values = entry.sealed or {}, {}
        for field, (salt, value) in core.details.items():
            raw_salt = a2b_base64(salt.encode().translate(_FROM_URL) + b"=", strict_mode=True)
            digest = sha256(OPENINGS[field] + raw_salt + value.encode()).digest()
            committed = b2a_base64(digest, newline=False).translate(_TO_URL)
            if committed != f"{sealed[field]}=".encode() or salt[-1] not in _LAST or len(value) > _LONGEST:
                raise ValueError("a detail is not what the entry was sealed with, or may be too long")
            values[field] = value
        opened.append(values)
    return opened


_decode: Final = msgspec.json.Decoder(_Core).decode_lines
_encode: Final = msgspec.json.Encoder().encode_lines
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_+/", b"+/!!")
_LAST: Final = frozenset("AEIMQUYcgkosw048")  # of 43 characters that stand for 32 bytes
_LONGEST: Final = MAX_VALUE_BYTES // 4  # characters, whatever they are
