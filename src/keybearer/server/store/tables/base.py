"""What all tables share: names of constraints, kinds of columns, and the words that some columns hold."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, ColumnElement, Index, Integer, MetaData, Text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite numbers rows by itself only where the type is INTEGER; its INTEGER holds 64 bits.
Serial = BigInteger().with_variant(Integer, "sqlite")


def one_of(column: str, words: tuple[str, ...]) -> str:
    """Return the rule that a column holds one of these words."""
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def narrowing(owner: str) -> tuple[Column[str], Column[str], CheckConstraint]:
    """Return the two columns that say how far an *owner* is narrowed, and the rule that ties them."""
    return (
        Column("narrowing", Text, nullable=False),
        Column("scope", Text, nullable=False),
        CheckConstraint("narrowing = 'scope' OR (narrowing = 'none' AND scope = '')", name=f"{owner}_narrowing"),
    )


def index_where(name: str, *columns: Column[Any], when: ColumnElement[bool], unique: bool = False) -> None:
    """Declare an index of only those rows for which *when* holds."""
    Index(name, *columns, unique=unique, sqlite_where=when, postgresql_where=when)
