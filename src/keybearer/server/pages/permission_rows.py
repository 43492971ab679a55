"""Permissions as people choose them: by what they are about, each with what it allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class PermissionChoice:
    """One permission: its name, the verb in it, what it allows, and whether the viewer's role gives it."""

    name: str
    verb: str
    words: str
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class PermissionRow:
    """All permissions about one resource."""

    resource: str
    choices: tuple[PermissionChoice, ...]


def permission_rows(words: Mapping[str, str], allowed: frozenset[str]) -> tuple[PermissionRow, ...]:
    """
    Group permissions by resource, in the operator's order.

    Args:
        words: permission name (``resource:verb``) -> what it allows.
        allowed: what the viewer's role gives.
    """
    order = list(dict.fromkeys(_resource(name) for name in words))
    named = sorted(words, key=lambda name: order.index(_resource(name)))
    return tuple(
        PermissionRow(
            _title(resource),
            tuple(PermissionChoice(name, _title(_verb(name)), words[name], name in allowed) for name in names),
        )
        for resource, names in groupby(named, key=_resource)
    )


def _resource(name: str) -> str:
    return name.partition(":")[0]


def _verb(name: str) -> str:
    return name.partition(":")[2] or "use"


def _title(word: str) -> str:
    words = word.replace("-", " ").replace("_", " ").replace(":", " ")
    return words[:1].upper() + words[1:]
