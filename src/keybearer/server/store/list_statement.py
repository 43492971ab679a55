"""Statements with lists in them (``column.in_(…)``): one text for each length, compiled once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql.compiler import SQLCompiler


@dataclass(frozen=True, slots=True)
class _Place:
    """Stands where a value belongs: that of a name, or one of the list of that name."""

    name: str
    index: int | None

    def value_in(self, values: Mapping[str, Any]) -> Any:
        value = values[self.name]
        return value if self.index is None else value[self.index]


class ListStatement:
    """A compiled statement with lists in it, remembered for each combination of their lengths."""

    def __init__(self, compiled: SQLCompiler) -> None:
        self._compiled = compiled
        self._lists = sorted(compiled.bind_names[bind] for bind in compiled.post_compile_params)
        self._known: dict[tuple[int, ...], tuple[str, list[Any]]] = {}

    def bind(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Give the text, and the values in the order of its placeholders."""
        padded = {name: _padded(value) if name in self._lists else value for name, value in values.items()}
        lengths = tuple(len(padded[name]) for name in self._lists)
        text, order = self._known.get(lengths) or self._learn(lengths, values)
        return text, [each.value_in(padded) if isinstance(each, _Place) else each for each in order]

    def _learn(self, lengths: tuple[int, ...], values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Write the lists out, with a `_Place` for each value; the statement's own literals stay."""
        places: dict[str, Any] = {name: _Place(name, None) for name in values}
        for name, length in zip(self._lists, lengths, strict=True):
            places[name] = [_Place(name, index) for index in range(length)]
        expanded = self._compiled.construct_expanded_state(places)
        known = expanded.statement, [expanded.parameters[name] for name in expanded.positiontup or ()]
        self._known[lengths] = known
        return known


def _padded(value: Any) -> Any:
    """
    Repeat the last value of a list until their number is a power of two.

    A list of each length is a text of its own, which each connection has to plan: a refresh's seven joins take half a
    millisecond or more.
    """
    if not value:
        return value
    wanted = 1 << (len(value) - 1).bit_length()
    return [*value, *value[-1:] * (wanted - len(value))]
