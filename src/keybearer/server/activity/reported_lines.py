"""The lines of a batch of records, each judged alone by what it says; the store is not asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from keybearer.audit.entries import ReadEntry, Salt, read_entries, read_entry
from keybearer.audit.openings import check_details
from keybearer.server.clock import DAY, MINUTE
from keybearer.server.records import ResourceServer
from keybearer.wire.activity import open_details

MOST_LINES: Final = 1_000
MOST_AHEAD: Final = 5 * MINUTE
OLDEST: Final = 30 * DAY


class Line(msgspec.Struct, frozen=True, gc=False):
    """
    A line that is well made.

    Args:
        place: which line of the batch it is, from 1.
        n: the record's number in the life of its process, *boot*.
        written: the entry's canonical bytes.
        user: what its sealed user says.
    """

    place: int
    n: int
    boot: str
    entry: ReadEntry
    written: bytes
    details: dict[str, tuple[Salt, str]]
    user: str


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is not kept, and why; *n* is None where not even that could be read."""

    place: int
    n: int | None
    error: str


class _Sent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    entry: str
    details: dict[str, tuple[Salt, str]]


_SENT: Final = msgspec.json.Decoder(_Sent)


def read_lines(texts: Sequence[bytes], first: int, reporter: ResourceServer, now: int) -> list[Line | RefusedLine]:
    """
    Judge lines of a batch, each by itself; return for each what it says, or why it is refused.

    Args:
        texts: some lines of the batch, which follow on each other.
        first: the place of the first of them, from 1.
        now: microseconds since 1970 UTC.
    """
    try:
        sent = [_SENT.decode(text) for text in texts]
        entries = read_entries("\n".join([each.entry for each in sent]).encode())
        check_details(entries, [each.details for each in sent])
    except (KeyError, ValueError, msgspec.MsgspecError):  # one is not as it should be: which, is found out one by one
        return [_read_alone(place, text, reporter, now) for place, text in enumerate(texts, first)]
    pairs = zip(entries, sent, strict=True)
    return [_line(place, entry, each, reporter, now) for place, (entry, each) in enumerate(pairs, first)]


def _read_alone(place: int, text: bytes, reporter: ResourceServer, now: int) -> Line | RefusedLine:
    try:
        sent = _SENT.decode(text)
        entry = read_entry(sent.entry.encode())
    except (ValueError, msgspec.MsgspecError) as error:
        return RefusedLine(place, None, str(error))
    try:
        open_details(entry, sent.details)
    except ValueError as error:
        return RefusedLine(place, entry.n, str(error))
    return _line(place, entry, sent, reporter, now)


def _line(place: int, entry: ReadEntry, sent: _Sent, reporter: ResourceServer, now: int) -> Line | RefusedLine:
    """Judge a well-made entry, which its details open: is it this reporter's, of now, and has it all its details."""
    try:
        n, boot = _counted(entry, sent, reporter, now)
    except ValueError as error:
        return RefusedLine(place, entry.n, str(error))
    return Line(place, n, boot, entry, sent.entry.encode(), sent.details, sent.details["user"][1])


def _counted(entry: ReadEntry, sent: _Sent, reporter: ResourceServer, now: int) -> tuple[int, str]:
    """
    Return number and process of what is this reporter's to say, is of now, and has all its details.

    Raises:
        ValueError: says why.
    """
    if entry.n is None or entry.boot is None or entry.reporter != reporter.resource_server_id:
        raise ValueError("the entry's reporter is not the one whose key this is")
    if entry.environment != reporter.environment:
        raise ValueError("the entry's environment is not the key's")
    if entry.at > now + MOST_AHEAD:
        raise ValueError("the entry's at is more than 5 minutes ahead of the server's clock")
    if entry.at < now - OLDEST:
        raise ValueError("the entry's at is more than 30 days ago")
    if "user" not in sent.details or sent.details.keys() != (entry.sealed or {}).keys():
        raise ValueError("the details do not say the user, or not what each of the entry's commitments stands for")
    return entry.n, entry.boot


def lines_of(body: bytes) -> list[bytes]:
    """Return the lines of a body; the last may end as the others do, and there may be none."""
    lines = body.split(b"\n")
    return lines if lines[-1] else lines[:-1]
