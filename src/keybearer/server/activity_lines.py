"""The lines of a batch of records, each judged alone by what it says; the store is not asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from keybearer.server.clock import DAY, MINUTE
from keybearer.wire.activity import Entry, entry_from, open_details

MOST_LINES: Final = 1_000
MOST_AHEAD: Final = 5 * MINUTE
OLDEST: Final = 30 * DAY


@dataclass(frozen=True, slots=True)
class Reporter:
    """
    Who reports.

    Args:
        name: a resource server's id.
        environment: the only one whose calls it may report.
    """

    name: str
    environment: str


@dataclass(frozen=True, slots=True)
class Line:
    """
    A line that is well made.

    Args:
        place: which line of the batch it is, from 1.
        n: the record's number in the life of its process.
        written: the entry's canonical bytes.
        opened: what its sealed fields say.
    """

    place: int
    n: int
    boot: str
    entry: Entry
    written: bytes
    details: dict[str, list[str]]
    opened: dict[str, str]


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is not kept, and why; *n* is None where not even that could be read."""

    place: int
    n: int | None
    error: str


class _Sent(msgspec.Struct, forbid_unknown_fields=True):
    entry: str
    details: dict[str, list[str]]


_SENT: Final = msgspec.json.Decoder(_Sent)


def read_lines(body: bytes, reporter: Reporter, now: int) -> Iterator[Line | RefusedLine]:
    """
    Judge each line of a batch (JSON Lines) by itself.

    Args:
        now: microseconds since 1970 UTC.

    Yields:
        For each line in its order what it says, or why it is refused.
    """
    for place, text in enumerate(lines_of(body), 1):
        entry = None
        try:
            sent = _SENT.decode(text)
            written = sent.entry.encode()
            entry = entry_from(written)
            yield _judged(place, entry, (written, sent.details), reporter, now)
        except (ValueError, msgspec.MsgspecError) as error:
            yield RefusedLine(place, entry.n if entry else None, str(error))


def lines_of(body: bytes) -> list[bytes]:
    """Return the lines of a body; the last may end as the others do."""
    return body.removesuffix(b"\n").split(b"\n")


def _judged(place: int, entry: Entry, sent: tuple[bytes, dict[str, list[str]]], reporter: Reporter, now: int) -> Line:
    """
    Return what a well-made entry says.

    Raises:
        ValueError: it is another's to report, or cannot be of now, or its details are not whole.
    """
    if entry.n is None or entry.boot is None or entry.reporter != reporter.name:
        raise ValueError("the entry's reporter is not the one whose key this is")
    if entry.environment != reporter.environment:
        raise ValueError("the entry's environment is not the key's")
    if entry.at > now + MOST_AHEAD:
        raise ValueError("the entry's at is more than 5 minutes ahead of the server's clock")
    if entry.at < now - OLDEST:
        raise ValueError("the entry's at is more than 30 days ago")
    written, details = sent
    if "user" not in details or details.keys() != (entry.sealed or {}).keys():
        raise ValueError("the details do not say the user, or not what each of the entry's commitments stands for")
    return Line(place, entry.n, entry.boot, entry, written, details, open_details(entry, details))
