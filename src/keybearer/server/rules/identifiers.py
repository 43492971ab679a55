"""The short name of a team in addresses and commands, made from the name that people gave it."""

import re
import unicodedata
from itertools import count
from typing import Final

MAX_CHARACTERS: Final = 60
_OTHERS: Final = re.compile(r"[^a-z0-9]+")


def identifier_of(name: str) -> str:
    """
    Return a name as an identifier: ``a-z0-9`` and single hyphens, 1 to 60 characters, never digits alone.

    An identifier is never a number, because commands take a team's number in the same place.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    identifier = _OTHERS.sub("-", plain).strip("-")[:MAX_CHARACTERS].strip("-")
    return f"team-{identifier}".strip("-") if identifier.isdigit() or not identifier else identifier


def free_identifier(wanted: str, taken: frozenset[str]) -> str:
    """Return *wanted*, or the first of ``wanted-2``, ``wanted-3``, … that nobody has."""
    if wanted not in taken:
        return wanted
    return next(other for number in count(2) if (other := f"{wanted}-{number}") not in taken)
