"""The lines of an export: what each kind holds, how it is written, and how it is read without trusting the writer."""

import json
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from keybearer.audit.entries import read_entry
from keybearer.wire.activity import Details, open_details
from keybearer.wire.activity_keys import CANONICAL
from keybearer.wire.merkle import HASH_BYTES, leaf_hash

MAX_LINE_BYTES: Final = 1024 * 1024


class BadLine(ValueError):
    """A line is not what it should be; the message says why, in a sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """Opens a log: what follows, up to the next of its kind, belongs to it."""

    origin: str
    key: str
    note: str


@dataclass(frozen=True, slots=True)
class RecordLine:
    """
    A record that agrees with itself: its leaf with its entry, its details with the entry's commitments.

    Args:
        index: its place in the log, or None if no checkpoint speaks for it yet.
        team: the team that the entry names.
        leaf: the hash of the entry's bytes.
        erased: the sealed fields that have no detail.
    """

    index: int | None
    team: int | None
    leaf: bytes
    erased: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SkipLine:
    """Stands for the records from *first* up to *end*, which the export leaves out."""

    first: int
    end: int
    hashes: Sequence[bytes]


Line = LogLine | RecordLine | SkipLine


def log_line(origin: str, key: str, note: str) -> bytes:
    """
    Write the line that opens a log.

    Args:
        key: the public key that signed the note, ``name+id+key``, under the log's name.
        note: the log's checkpoint.
    """
    return _encode({"checkpoint": note, "key": key, "log": origin})


def skip_line(first: int, end: int, hashes: Sequence[bytes]) -> bytes:
    """Write the line that stands for records which are left out, by the hashes of `wire.merkle.subtrees`."""
    return _encode({"hashes": hashes, "skip": (first, end)})


def record_line(place: tuple[int, bytes] | None, entry: bytes, details: Details | None) -> bytes:
    """
    Write the line of a record.

    What is stored may have been tampered with: what is not an entry is written as text, and is recognised by that.

    Args:
        place: its index in the log, and the hash that the log has there; None while no checkpoint speaks for it.
        entry: its bytes as they are stored.
        details: what of its details is left.
    """
    parts: dict[str, Any] = {"details": details} if details else {}
    try:
        read_entry(entry)
        parts["entry"] = msgspec.Raw(entry)
    except ValueError:
        parts["entry"] = entry.decode(errors="replace")
    if place is not None:
        parts["index"], parts["leaf"] = place
    return _encode(parts)


def line_from(raw: bytes) -> Line:
    """
    Read a line, and make sure of everything that can be known without the lines around it.

    Args:
        raw: the line, with or without its end.

    Raises:
        BadLine: names what is wrong.
    """
    if len(raw) > MAX_LINE_BYTES:
        raise BadLine(f"the line is longer than {MAX_LINE_BYTES} bytes")
    parts = _parts(raw.removesuffix(b"\n"))
    if "log" in parts:
        return _log(parts)
    if "skip" in parts:
        return _skip(parts)
    if "entry" in parts:
        return _record(parts)
    raise BadLine("the line is neither a log's, nor a record, nor stands for records left out")


def _parts(raw: bytes) -> dict[str, Any]:
    try:
        parts = json.loads(raw.decode())
        written = CANONICAL.encode(parts).encode()
    except (ValueError, RecursionError) as error:
        raise BadLine("the line is not JSON in UTF-8") from error
    if not isinstance(parts, dict):
        raise BadLine("the line is not a JSON object")
    if written != raw:  # two readers could read it in two ways
        raise BadLine(
            "the line is not written as RFC 8785 writes it, keys in order, each once, without spaces; "
            "an export that an older version wrote, or another tool rewrote, has to be made again"
        )
    return parts


def _log(parts: dict[str, Any]) -> LogLine:
    match parts:
        case {"log": str(origin), "key": str(key), "checkpoint": str(note), **others} if (
            not others and origin.isprintable()
        ):
            return LogLine(origin, key, note)
    raise BadLine("the line of a log must have its name, key and checkpoint, all of them text, and nothing else")


def _skip(parts: dict[str, Any]) -> SkipLine:
    match parts:
        case {"skip": [int(first), int(end)], "hashes": list(hashes), **others} if not others and not (
            isinstance(first, bool) or isinstance(end, bool)
        ):
            return SkipLine(first, end, [_hash(each) for each in hashes])
    raise BadLine(
        "the line that stands for records left out must have skip, two numbers, and hashes, a list, and nothing else"
    )


def _hash(text: object) -> bytes:
    try:
        hashed = a2b_base64(text.encode(), strict_mode=True) if isinstance(text, str) else b""
    except ValueError:
        hashed = b""
    if len(hashed) != HASH_BYTES or b64encode(hashed).decode() != text:
        raise BadLine("one of the hashes is not base64 of 32 bytes")
    return hashed


def _record(parts: dict[str, Any]) -> RecordLine:
    """Make sure that a record agrees with itself."""
    entry, details = parts.pop("entry"), parts.pop("details", {})
    if not isinstance(entry, dict) or not isinstance(details, dict):
        raise BadLine("the record's entry or details are not an object")
    if parts and (parts.keys() != {"index", "leaf"} or type(parts["index"]) is not int):
        raise BadLine(
            "beside entry and details, a record may have only index, a whole number, and leaf, either both or neither"
        )
    data = CANONICAL.encode(entry).encode()
    leaf = leaf_hash(data)
    if parts and _hash(parts["leaf"]) != leaf:
        raise BadLine("the entry is not the one whose hash the log has in this place")
    try:
        read = read_entry(data)
        opened = open_details(read, details)
    except ValueError as error:
        raise BadLine(str(error)) from error
    erased = tuple(field for field in read.sealed or () if field not in opened)
    return RecordLine(parts.get("index"), read.team, leaf, erased)


_encode: Final = msgspec.json.Encoder(order="sorted").encode  # as RFC 8785 does, for texts and whole numbers
