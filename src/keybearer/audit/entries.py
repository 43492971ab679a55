"""Reads entries at speed; it accepts no entry that `wire.activity` would refuse."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

import msgspec

from keybearer.wire import activity
from keybearer.wire.activity_keys import COMMITMENT, JUDGES, MAX_INTEGER, SEALED

_Natural = Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
Salt = Annotated[str, msgspec.Meta(min_length=43, max_length=43)]
_Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


Sealed = TypeVar("Sealed")


class EntryOf(msgspec.Struct, Generic[Sealed], omit_defaults=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """What an `activity.Entry` says, under the same names, what is sealed as a *Sealed*; in the order of its keys."""

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
    sealed: Sealed | None = None
    status: Annotated[int, msgspec.Meta(ge=100, le=599)] | None = None
    team: _Natural | None = None
    token: _Identifier | None = None
    token_last4: Annotated[str, msgspec.Meta(min_length=4, max_length=4)] | None = None
    v: Literal[1]


ReadEntry = EntryOf[Annotated[dict[str, Salt], msgspec.Meta(min_length=1)]]


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
    Read entries, one a line; to decode many at once takes half the time.

    Raises:
        ValueError: one of them is not an entry, or has spaces, escapes or letters beyond ASCII: `read_entry` tells.
    """
    entries = _decode(block)
    if _encode(entries) != block + b"\n":
        raise ValueError("not all entries are written as RFC 8785 writes them")
    judge(entries, block)
    if not _FIELDS.issuperset(set().union(*[entry.sealed for entry in entries if entry.sealed])):
        raise ValueError("one of the entries has sealed what cannot be")
    if not _are_commitments("".join(["".join(entry.sealed.values()) for entry in entries if entry.sealed])):
        raise ValueError("one of the entries has a commitment that is not base64url of 32 bytes")
    return entries


def judge(entries: Sequence[EntryOf[Any]], written: bytes) -> None:
    """
    Refuse texts without the form of their key, where the types alone do not ensure it; what is sealed is not judged.

    Args:
        written: the entries' bytes, which are known to be what these entries are written as.

    Raises:
        ValueError: one has not, or there is a text that cannot be judged here.
    """
    if not written.isascii() or any(mark in written for mark in _NOT_PLAIN):
        raise ValueError("there is more in the entries than can be judged here")
    for name, texts in (
        ("action", {entry.action for entry in entries}),
        ("method", {entry.method for entry in entries}),
        ("reason", {entry.reason for entry in entries}),
    ):
        for text in texts - {None}:
            JUDGES[name](text)
    if not [e.boot is None for e in entries] == [e.n is None for e in entries] == [e.reporter is None for e in entries]:
        raise ValueError("one of the entries has one of reporter, boot and n without the others")
    if not _are_digits("".join([entry.token_last4 for entry in entries if entry.token_last4 is not None])):
        raise ValueError("one of the entries has a token_last4 that is not four letters and digits")


def _read_slowly(data: bytes) -> ReadEntry:
    entry = activity.entry_from(data)
    return EntryOf(v=1, **{name: getattr(entry, name) for name in JUDGES})


_decode: Final = msgspec.json.Decoder(ReadEntry).decode_lines
_encode: Final = msgspec.json.Encoder(order="deterministic").encode_lines  # which sorts what is sealed
_NOT_PLAIN: Final = (b" ", b"\\", b"\x7f")  # without these, what is written is what is meant
_FIELDS: Final = frozenset(SEALED)
_are_commitments: Final = re.compile(f"(?:{COMMITMENT})*").fullmatch
_are_digits: Final = re.compile("[0-9A-Za-z]*").fullmatch
