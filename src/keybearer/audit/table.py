"""Records as lines of CSV, for people and their spreadsheets; only JSON Lines can be verified."""

import csv
import io
from typing import Final

from keybearer.audit.entries import read_entry
from keybearer.audit.lines import Readable, readable
from keybearer.wire.activity import Details, open_details

COLUMNS: Final = tuple(name for name in Readable.__struct_fields__ if name not in {"entry", "details", "boot", "n"})
# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def head() -> bytes:
    """Write the first line: what the columns are called."""
    return _line(COLUMNS)


def row(index: int | None, entry: bytes, details: Details | None) -> bytes:
    """
    Write a record; of one that was tampered with, its place alone.

    Args:
        index: its place in the log.
        details: what of its details is left.
    """
    try:
        read = read_entry(entry)
        said = readable(index, "", read, None, open_details(read, details or {}))
    except ValueError:
        said = Readable(index=index)
    return _line([getattr(said, name) for name in COLUMNS])


def _line(cells: "list[object] | tuple[str, ...]") -> bytes:
    written = io.StringIO()
    csv.writer(written).writerow([_harmless(cell) for cell in cells])
    return written.getvalue().encode()


def _harmless(cell: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would run."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
