"""The lines of an export: what each kind says, how it is written, and how it is read by somebody who trusts nothing."""

import json
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec

from keybearer.audit.entries import ReadEntry, read_entry
from keybearer.wire.activity import Details, open_details
from keybearer.wire.merkle import HASH_BYTES, leaf_hash

MAX_LINE_BYTES: Final = 1024 * 1024
_NOT_COPIED: Final = frozenset({"index", "entry", "details"})


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
    A record that agrees with itself: its copies with its entry, its details with the entry's commitments.

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


class Readable(msgspec.Struct, omit_defaults=True, gc=False):
    """A record as it stands in an export: everything before the entry is a copy out of the entry or its details."""

    index: int | None = None
    at: str | None = None
    user: int | None = None
    address: str | None = None
    agent: str | None = None
    subject: str | None = None
    words: str | None = None
    action: str | None = None
    outcome: str | None = None
    reason: str | None = None
    client: str | None = None
    team: int | None = None
    environment: str | None = None
    method: str | None = None
    route: str | None = None
    status: int | None = None
    ms: int | None = None
    request_id: str | None = None
    token: str | None = None
    token_last4: str | None = None
    grant: str | None = None
    reporter: str | None = None
    boot: str | None = None
    n: int | None = None
    entry: str = ""
    details: Mapping[str, Sequence[str]] | None = None


def log_line(origin: str, key: str, note: str) -> bytes:
    """
    Write the line that opens a log.

    Args:
        key: the public key that signed the note, ``name+id+key``, under the log's name.
        note: the log's checkpoint.
    """
    return _encode({"log": origin, "key": key, "checkpoint": note})


def skip_line(first: int, end: int, hashes: Iterable[bytes]) -> bytes:
    """Write the line that stands for records which are left out, by the hashes of `wire.merkle.subtrees`."""
    return _encode({"skip": [first, end], "hashes": [b64encode(each).decode() for each in hashes]})


def record_line(index: int | None, entry: bytes, details: Details | None) -> bytes:
    """
    Write the line of a record, readable and provable.

    What is stored may have been tampered with: then the line has no copies, for the verifier to say what is wrong.

    Args:
        index: its place in the log; None while no checkpoint speaks for it.
        entry: its bytes as they are stored.
        details: what of its details is left.
    """
    text = entry.decode(errors="replace")
    try:
        read = read_entry(entry)
        return _encode(readable(index, text, read, details, open_details(read, details or {})))
    except ValueError:
        return _encode(Readable(index=index, entry=text, details=details))


def line_from(raw: bytes) -> Line:
    """
    Read a line, and make sure of everything that can be known without the lines around it.

    Raises:
        BadLine: names what is wrong.
    """
    if len(raw) > MAX_LINE_BYTES:
        raise BadLine(f"the line is longer than {MAX_LINE_BYTES} bytes")
    parts = _parts(raw)
    if "log" in parts:
        return _log(parts)
    if "skip" in parts:
        return _skip(parts)
    if "entry" in parts:
        return _record(parts)
    raise BadLine("the line is neither a log's, nor a record, nor stands for records left out")


def _parts(raw: bytes) -> dict[str, Any]:
    try:
        parts = json.loads(raw.decode(), object_pairs_hook=_without_repetition)
    except BadLine:
        raise
    except (ValueError, RecursionError) as error:
        raise BadLine("the line is not JSON in UTF-8") from error
    if not isinstance(parts, dict):
        raise BadLine("the line is not a JSON object")
    return parts


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what two readers could read in two ways."""
    parts = dict(pairs)
    if len(parts) != len(pairs):
        raise BadLine("the line has a key twice")
    return parts


def _log(parts: dict[str, Any]) -> LogLine:
    match parts:
        case {"log": str(origin), "key": str(key), "checkpoint": str(note), **others} if (
            not others and origin.isprintable()
        ):
            return LogLine(origin, key, note)
    raise BadLine("the line of a log has not just its name, key and checkpoint, all of them text")


def _skip(parts: dict[str, Any]) -> SkipLine:
    match parts:
        case {"skip": [int(first), int(end)], "hashes": list(hashes), **others} if not others and not (
            isinstance(first, bool) or isinstance(end, bool)
        ):
            return SkipLine(first, end, [_hash(each) for each in hashes])
    raise BadLine("the line that stands for records left out has not just skip, two numbers, and hashes, a list")


def _hash(text: object) -> bytes:
    try:
        hashed = a2b_base64(text.encode(), strict_mode=True) if isinstance(text, str) else b""
    except ValueError:
        hashed = b""
    if len(hashed) != HASH_BYTES or b64encode(hashed).decode() != text:
        raise BadLine("one of the hashes of the records left out is not base64 of 32 bytes")
    return hashed


def _record(parts: dict[str, Any]) -> RecordLine:
    """Make sure that a record agrees with itself, however its line is written."""
    index, text, details = parts.get("index"), parts["entry"], parts.get("details", {})
    if not isinstance(text, str) or not isinstance(details, dict) or not (index is None or type(index) is int):
        raise BadLine("the record's index is no whole number, its entry no text, or its details no object")
    try:
        data = text.encode()
        entry = read_entry(data)
        opened = open_details(entry, details)
        copies = msgspec.to_builtins(readable(None, text, entry, None, opened))
    except ValueError as error:
        raise BadLine(str(error)) from error
    leaf = leaf_hash(data)
    copies |= {"leaf": b64encode(leaf).decode()}
    for name in parts.keys() - _NOT_COPIED:
        if name not in copies:
            raise BadLine(f"the line says {name!r:.64}, and neither the entry nor its details do")
        if type(parts[name]) is not type(copies[name]) or parts[name] != copies[name]:
            raise BadLine(f"the line says {name} {parts[name]!r:.64}; it was recorded as {copies[name]!r:.64}")
    return RecordLine(index, entry.team, leaf, tuple(field for field in entry.sealed or () if field not in opened))


def readable(
    index: int | None,
    text: str,
    entry: ReadEntry,
    details: Mapping[str, Sequence[str]] | None,
    opened: Mapping[str, str],
) -> Readable:
    """Put together what a record's line says."""
    told: tuple[Any, ...] = (
        index,
        moment(entry.at),
        _number(opened.get("user")),
        opened.get("address"),
        opened.get("agent"),
        opened.get("subject"),
        opened.get("words"),
        *_copies(entry),
        text,
        details,
    )
    return Readable(*told)


def moment(at: int) -> str:
    """Write a time, microseconds since 1970 UTC, as RFC 3339 has it, with all six digits of the microseconds."""
    seconds, micros = divmod(at, 1_000_000)
    return f"{_second(seconds)}.{micros:06}Z"


@lru_cache(64)  # records come by the thousand in one second
def _second(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, ValueError) as error:
        raise BadLine("the entry's at is beyond the year 9999") from error


def _number(user: str | None) -> int | None:
    if user is None:
        return None
    if not (user.isascii() and user.isdigit() and user[0] != "0" and len(user) < 16):
        raise BadLine("the user that the details name is not a number")
    return int(user)


_encode: Final = msgspec.json.Encoder().encode
_copies: Final = attrgetter(*Readable.__struct_fields__[7:-2])  # from action to n, under the same names
