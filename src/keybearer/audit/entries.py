"""Entries read fast: what passes here is what `wire.activity` would let pass, and it judges whatever does not."""

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import combinations
from operator import attrgetter
from typing import Annotated, Final, Literal

import msgspec

from keybearer.wire import activity
from keybearer.wire.activity import MAX_VALUE_BYTES, OPENINGS
from keybearer.wire.activity_keys import COMMITMENT, JUDGES, MAX_INTEGER, SEALED

_Natural = Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
Salt = Annotated[str, msgspec.Meta(min_length=43, max_length=43)]
_Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class ReadEntry(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What an `activity.Entry` says, under the same names; they stand here in the order of the keys."""

    action: str
    at: _Natural
    boot: _Identifier | None = None
    client: _Identifier | None = None
    environment: Literal["live", "sandbox"] | None = None
    grant: _Identifier | None = None
    method: str | None = None
    ms: Literal[1, 3, 10, 30, 100, 300, 1000, 3000, 10000] | None = None
    n: _Natural | None = None
    outcome: Literal["done", "refused", "failed", "unknown"]
    reason: str | None = None
    reporter: _Identifier | None = None
    request_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None
    route: Annotated[str, msgspec.Meta(min_length=1, max_length=512)] | None = None
    sealed: dict[str, Annotated[str, msgspec.Meta(min_length=43, max_length=43)]] | None = None
    status: Annotated[int, msgspec.Meta(ge=100, le=599)] | None = None
    team: _Natural | None = None
    token: _Identifier | None = None
    token_last4: Annotated[str, msgspec.Meta(min_length=4, max_length=4)] | None = None
    v: Literal[1]


def read_entry(data: bytes) -> ReadEntry:
    """
    Read an entry, and accept no other bytes than `activity.entry_from` does.

    Raises:
        ValueError: names what is wrong.
    """
    try:
        (entry,) = read_entries(data)
    except ValueError:
        entry = _read_slowly(data)
    return entry


def read_entries(block: bytes) -> list[ReadEntry]:
    """
    Read entries, one a line; what is said of many in one breath is said in half the time.

    Raises:
        ValueError: one of them is none, or has spaces, escapes or letters beyond ASCII: `read_entry` tells.
    """
    if block.translate(None, _PLAIN):
        raise ValueError("there is more in the entries than can be judged here")
    entries = _decode(block)
    _check_texts(entries)
    if _encode(entries) != block + b"\n":
        raise ValueError("not all entries are written as RFC 8785 writes them")
    return entries


def open_quickly(sealed: Mapping[str, str], details: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """
    Open commitments; what opens here is what `activity.open_details` opens, and it tells what is wrong with the rest.

    Args:
        details: salts of 43 characters, and values.

    Raises:
        KeyError: a detail has no commitment.
        ValueError: one does not open, or may be too long.
    """
    values = {}
    for field, (salt, value) in details.items():
        raw_salt = a2b_base64(salt.encode().translate(_FROM_URL) + b"=", strict_mode=True)
        digest = sha256(OPENINGS[field] + raw_salt + value.encode()).digest()
        committed = b2a_base64(digest, newline=False).translate(_TO_URL)
        if committed != f"{sealed[field]}=".encode() or salt[-1] not in _LAST or len(value) > _LONGEST:
            raise ValueError("a detail is not what the entry was sealed with, or may be too long")
        values[field] = value
    return values


def _check_texts(entries: Sequence[ReadEntry]) -> None:
    """
    Refuse texts that have not the form of their key, as far as their types do not demand it.

    That they have no spaces, control characters and escapes is known before.
    """
    for name in ("action", "method", "reason"):
        for text in set(map(attrgetter(name), entries)) - {None}:
            JUDGES[name](text)
    if {(entry.boot is None) + (entry.n is None) + (entry.reporter is None) for entry in entries} - {0, 3}:
        raise ValueError("one of the entries has one of reporter, boot and n without the others")
    sealed = [entry.sealed for entry in entries if entry.sealed is not None]
    commitments = "".join(["".join(each.values()) for each in sealed])
    last4s = "".join([entry.token_last4 for entry in entries if entry.token_last4 is not None])
    if not _ORDERS.issuperset(map(tuple, sealed)) or not _are_commitments(commitments) or not _are_digits(last4s):
        raise ValueError("sealed or token_last4 have not the form they should have")


def _read_slowly(data: bytes) -> ReadEntry:
    entry = activity.entry_from(data)
    return ReadEntry(v=1, **{name: getattr(entry, name) for name in JUDGES})


_decode: Final = msgspec.json.Decoder(ReadEntry).decode_lines
_encode: Final = msgspec.json.Encoder().encode_lines
_PLAIN: Final = bytes([0x0A, *range(0x21, 0x7F)]).replace(b"\\", b"")  # of these, what is written is what is meant
_ORDERS: Final = frozenset(order for count in range(1, len(SEALED) + 1) for order in combinations(SEALED, count))
_are_commitments: Final = re.compile(f"(?:{COMMITMENT})*").fullmatch
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_+/", b"+/!!")
_LAST: Final = frozenset("AEIMQUYcgkosw048")  # of 43 characters that stand for 32 bytes
_LONGEST: Final = MAX_VALUE_BYTES // 4  # characters, whatever they are
_are_digits: Final = re.compile("[0-9A-Za-z]*").fullmatch
