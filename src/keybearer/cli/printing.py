"""How commands print what they have to say: aligned for people, one JSON object a line for programs."""

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


def say_table(records: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print records of one shape: a line each for programs, a block each for people."""
    for number, record in enumerate(records):
        if number and not as_json:
            print()
        say(record, as_json=as_json)
