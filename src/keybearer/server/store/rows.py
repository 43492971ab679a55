"""A record as the row that keeps it, and the count in a row."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable

from keybearer.server.store.database import Reader

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def as_row(record: "DataclassInstance") -> dict[str, Any]:
    """Return a record's values by the names of its fields, which are those of its columns."""
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


async def total(reader: Reader, statement: Executable, **values: Any) -> int:
    """
    Return what a *statement* counts.

    Args:
        statement: a count, labelled ``total``, that is not grouped: it has a row whatever it finds.
    """
    row = await reader.one(statement, **values)
    assert row is not None  # noqa: S101 - see above
    return int(row["total"])
