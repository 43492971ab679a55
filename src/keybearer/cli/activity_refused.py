"""Lists reported records that the server refused; the reporter keeps them beside its spool."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from keybearer.cli.trouble import Trouble
from keybearer.reporting.shipping import REFUSED
from keybearer.server.clock import as_wire

COLUMNS: Final = ("at", "action", "method", "route", "team", "why")
_TOLD: Final = (*COLUMNS[1:-1], "outcome", "user", "token", "client", "request_id", "reporter")


def refused_in(folder: Path) -> list[dict[str, Any]]:
    """
    Return what was refused of a folder's records, in the order in which that was learnt.

    Args:
        folder: what ``ActivityLog`` was given, or ``calls`` in the server's data directory.

    Raises:
        Trouble: there is no such folder, or its file cannot be read.
    """
    if not folder.is_dir():
        raise Trouble(f"{folder} is not a folder; name the one that the API gives to ActivityLog")
    try:
        with (folder / REFUSED).open("rb") as lines:
            return list(_told(lines))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Trouble(f"{folder / REFUSED} cannot be read: {error.strerror}") from error


def _told(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """Tell of each line; one that a crash cut short is told of, too."""
    for number, line in enumerate(lines, 1):
        try:
            kept = json.loads(line)
            entry = json.loads(json.loads(kept["line"])["entry"])
            told = {"at": as_wire(entry["at"]), **{name: entry.get(name) for name in _TOLD}, "why": kept["why"]}
        except (ValueError, KeyError, TypeError):
            told = {"at": None, **dict.fromkeys(_TOLD), "why": f"line {number} cannot be read"}
        yield told
