"""Rows: a record as the one that keeps it, the only one of several, and the count in one."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable

from keybearer.server.store.database import Reader, Row

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def as_row(record: "DataclassInstance") -> dict[str, Any]:
    """Return a record's values by the names of its fields, which are those of its columns."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def only(rows: list[Row], statement: Executable) -> Row | None:
    """
    Return the only one of *rows*, or None.

    Raises:
        ValueError: the *statement* has found several.
    """
    if len(rows) > 1:
        raise ValueError(f"asked for one row, found {len(rows)}: {statement}")
    return rows[0] if rows else None


async def total(reader: Reader, statement: Executable, **values: Any) -> int:
    """
    Return what a *statement* counts.

    Args:
        statement: a count, labelled ``total``, that is not grouped: it has a row whatever it finds.
    """
    row = await reader.one(statement, **values)
    assert row is not None  # noqa: S101 - see above
    return int(row["total"])
