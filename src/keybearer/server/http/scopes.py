"""Writes permissions as a scope."""

from functools import lru_cache
from typing import Final

_MOST: Final = 1_000  # of the combinations that roles and narrowed tokens come to


@lru_cache(_MOST)
def scope_of(permissions: frozenset[str]) -> str:
    """Return the names in their order, with spaces between them (RFC 6749 §3.3)."""
    return " ".join(sorted(permissions))
