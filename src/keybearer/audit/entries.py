"""Entries read fast: what passes here is what `wire.activity` would let pass, and it judges whatever does not."""

import re
from collections.abc import Sequence
from itertools import combinations
from operator import attrgetter
from typing import Annotated, Final, Literal

import msgspec

from keybearer.wire import activity
from keybearer.wire.activity_keys import COMMITMENT, JUDGES, MAX_INTEGER, SEALED

_Natural = Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
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


def _check_texts(entries: Sequence[ReadEntry]) -> None:
    """
    Refuse texts that have not the form of their key, as far as their types do not demand it.

    That they have no spaces, control characters and escapes is known before.
    """
    for name in ("action", "method", "reason"):
        for text in set(map(attrgetter(name), entries)) - {None}:
            JUDGES[name](text)
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
_are_digits: Final = re.compile("[0-9A-Za-z]*").fullmatch
