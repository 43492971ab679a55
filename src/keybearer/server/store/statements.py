"""Turn SQLAlchemy Core statements into text and values for a bare driver, compiling each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    Executable,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
)
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.expression import Insert
from sqlalchemy.sql.sqltypes import Enum, NullType

from keybearer.server.store.list_statement import ListStatement

# The modules have a few hundred statements. Code that made new ones at every call would pay
# for compiling them, and must not fill the memory.
_MOST_KNOWN = 4096


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    order: tuple[str, ...]  # names of the values, as the text wants them
    demands: frozenset[str]  # names the caller must give
    literals: Mapping[str, Any]  # values written into the statement
    lists: ListStatement | None  # set where `column.in_(…)` makes the text depend on the values

    def check(self, values: Mapping[str, Any]) -> None:
        if self.demands != values.keys():
            msg = f"the statement demands {sorted(self.demands)}, not {sorted(values)}: {self.text}"
            raise TypeError(msg)


class Statements:
    """
    The statements of one dialect, each compiled once and remembered by identity.

    ``ON CONFLICT`` is written with ``sqlalchemy.dialects.postgresql.insert`` for both databases:
    SQLite took the clause over from PostgreSQL, and its compiler renders that construct.
    A bare ``insert(table)`` takes its columns from the values of its first use.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: dict[Executable, _Compiled] = {}

    def bind(self, statement: Executable, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """
        Give the *statement* as text, and its values in the order of its placeholders.

        Raises:
            TypeError: *values* are not exactly those that it demands, or a type
                in it would need converting by a driver layer that is not there.
        """
        known = self._known.get(statement) or self._learn(statement, values)
        known.check(values)
        if known.lists is not None:
            return known.lists.bind(values)
        given = {**known.literals, **values} if known.literals else values
        return known.text, [given[name] for name in known.order]

    def bind_all(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[list[Any]]]:
        """
        Give the *statement* as text once, and the values of each of *rows*, of which there is at least one.

        Raises:
            TypeError: as `bind` does; and lists are not for statements that run many times.
        """
        known = self._known.get(statement) or self._learn(statement, rows[0])
        if known.lists is not None:
            msg = f"the statement has a list in it, so its text is not the same for all rows: {known.text}"
            raise TypeError(msg)
        for values in rows:
            known.check(values)
        given = [{**known.literals, **values} for values in rows] if known.literals else rows
        return known.text, [[values[name] for name in known.order] for values in given]

    def _learn(self, statement: Executable, values: Mapping[str, Any]) -> _Compiled:
        compiled = self._compile(cast("ClauseElement", statement), values)
        if compiled.insert_prefetch or compiled.update_prefetch:
            msg = f"defaults made in Python do not reach the bare driver: {compiled}"
            raise TypeError(msg)
        literals = {}
        for bind, name in compiled.bind_names.items():
            if not isinstance(bind.type, Integer | String | LargeBinary | NullType) or isinstance(bind.type, Enum):
                msg = f"{name} is {bind.type!r}; only integers, text and bytes are stored"
                raise TypeError(msg)
            if not bind.required:
                literals[name] = bind.effective_value
        lists = ListStatement(compiled) if compiled.post_compile_params else None
        order = tuple(compiled.positiontup or ())
        known = _Compiled(str(compiled), order, frozenset(order) - literals.keys(), literals, lists)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[statement] = known
        return known

    def _compile(self, statement: ClauseElement, values: Mapping[str, Any]) -> SQLCompiler:
        columns = None
        if isinstance(statement, Insert):
            if statement.select is None and not (statement._values or statement._multi_values):  # noqa: SLF001 - nothing public tells
                columns = list(values)
            if not statement._returning:  # noqa: SLF001 - nothing public tells
                statement = statement.inline()  # else PostgreSQL's compiler returns the key unasked
        compiled = statement.compile(dialect=self._dialect, column_keys=columns)
        if not isinstance(compiled, SQLCompiler):
            msg = f"not a statement on rows: {statement!r}"
            raise TypeError(msg)
        return compiled


def constraint_names(metadata: MetaData) -> dict[frozenset[str], str]:
    """
    Give each uniqueness rule's name by its columns.

    SQLite tells only the columns of a broken rule; PostgreSQL tells the name.

    Returns:
        for instance ``{frozenset({"users.email_key"}): "uq_users_email_key"}``.
    """
    names = {}
    for table in metadata.tables.values():
        keys = [rule for rule in table.constraints if isinstance(rule, PrimaryKeyConstraint | UniqueConstraint)]
        indexes = [rule for rule in table.indexes if rule.unique]
        for rule in (*keys, *indexes):
            names[frozenset(f"{table.name}.{column.name}" for column in rule.columns)] = str(rule.name)
    return names
