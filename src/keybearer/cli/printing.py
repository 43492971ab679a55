"""Prints results: aligned for people, one JSON object a line for programs."""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias

import typer

JSON: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


def say(record: Mapping[str, object], *, as_json: bool) -> None:
    """Print one record: its keys and values."""
    if as_json:
        import json

        print(json.dumps(record), flush=True)
        return
    width = max(len(key) for key in record)
    for key, value in record.items():
        print(f"{key:<{width}}  {_in_words(value)}", flush=True)


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    return "" if value is None else str(value)


def say_table(records: Sequence[Mapping[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print records of one shape: aligned *columns* for people, all of it for programs."""
    if as_json:
        for record in records:
            say(record, as_json=True)
        return
    widths = {column: max((len(_in_words(record[column])) for record in records), default=0) for column in columns}
    for record in records:
        print("  ".join(f"{_in_words(record[column]):<{widths[column]}}" for column in columns).rstrip(), flush=True)
