"""Inserts many rows by one statement, so that its fixed cost is paid once."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import Executable, Insert

_VALUES: Final = " VALUES "
_CAST: Final = re.compile(r"::\w+")
_MOST_VALUES: Final = 1_024  # of a statement; with more of them SQLite takes longer for each row


def is_plain_insert(statement: Executable) -> bool:
    """Tell whether a statement only adds rows to a table: an ``insert(table)`` with nothing behind it."""
    if not isinstance(statement, Insert):
        return False
    has_own_values = bool(statement._values or statement._multi_values or statement._returning)  # noqa: SLF001 - nothing public tells
    return not has_own_values and statement.select is None and statement._post_values_clause is None  # noqa: SLF001 - likewise


def by_values(text: str, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """
    Give the few statements for SQLite that insert *rows*, each with its values.

    Their numbers of rows are powers of two, so that a handful of texts is prepared, whatever comes.

    Args:
        text: the statement for one row.
        rows: at least one.
    """
    one_row = text.rpartition(_VALUES)[2]
    most = 1 << (_MOST_VALUES // len(rows[0])).bit_length() - 1
    at = 0
    while at < len(rows):
        count = min(1 << (len(rows) - at).bit_length() - 1, most)
        yield text + f", {one_row}" * (count - 1), list(chain.from_iterable(rows[at : at + count]))
        at += count


def by_arrays(text: str, rows: Sequence[list[Any]]) -> tuple[str, list[tuple[Any, ...]]]:
    """
    Give the one statement for PostgreSQL that inserts any number of rows, and an array for each column.

    Args:
        text: the statement for one row, with a cast behind each placeholder.
    """
    head, _, one_row = text.rpartition(_VALUES)
    arrays = _CAST.sub(r"\g<0>[]", one_row)
    return f"{head} SELECT * FROM unnest{arrays}", list(zip(*rows, strict=True))  # noqa: S608 - placeholders only
