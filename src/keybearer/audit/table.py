"""Records as lines of CSV, for people and their spreadsheets; only JSON Lines can be verified."""

import csv
import io
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from keybearer.audit.entries import read_entry
from keybearer.wire.activity import Details, open_details

_COPIES: Final = (  # out of the entry, under the same names
    "action",
    "outcome",
    "reason",
    "client",
    "team",
    "environment",
    "method",
    "route",
    "status",
    "ms",
    "request_id",
    "token",
    "token_last4",
    "grant",
    "reporter",
)
COLUMNS: Final = ("index", "at", "user", "address", "agent", "subject", "words", *_COPIES)
# What spreadsheets take for the beginning of a formula, at the beginning of a cell (OWASP, "CSV Injection"). Where the
# comma stands in decimal numbers, they part cells at semicolons instead, whatever is quoted, and drop the quotation
# marks that come first in what they find then.
_FORMULA: Final = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=\"*[=+\-@\t\r])")


def head() -> bytes:
    """Write the first line: what the columns are called."""
    return _line(COLUMNS)


def row(index: int | None, entry: bytes, details: Details | None) -> bytes:
    """
    Write a record; of one that was tampered with, only its place.

    Args:
        index: its place in the log.
        details: what of its details is left.
    """
    cells: dict[str, object] = {"index": index}
    try:
        read = read_entry(entry)
        opened = open_details(read, details or {})
        cells |= {"at": moment(read.at), **opened, **{name: getattr(read, name) for name in _COPIES}}
    except ValueError:
        pass
    return _line(cells.get(name) for name in COLUMNS)


def moment(at: int) -> str:
    """
    Write a time, microseconds since 1970 UTC, as RFC 3339 has it, with all six digits of the microseconds.

    Raises:
        ValueError: it is beyond the year 9999.
    """
    seconds, micros = divmod(at, 1_000_000)
    return f"{_second(seconds)}.{micros:06}Z"


@lru_cache(64)  # records come by the thousand in one second
def _second(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except OverflowError as error:
        raise ValueError("the time is beyond the year 9999") from error


def _line(cells: Iterable[object]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerow([_harmless(cell) for cell in cells])
    return written.getvalue().encode()


def _harmless(cell: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would run."""
    return _FORMULA.sub("'", cell) if isinstance(cell, str) else cell
