"""A cache of what was made of an object, found by the object's identity."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

Of = TypeVar("Of")
Made = TypeVar("Made")

_MOST: Final = 10_000


class IdentityCache(Generic[Of, Made]):
    """
    Makes something of an object the first time that this very object comes, and remembers it.

    Objects are compared by identity: to compare two principals by value takes longer than what is made of one here. The
    cache holds on to the objects, so no identity is used a second time while it is known here.

    Args:
        make: of an object that never changes.
    """

    def __init__(self, make: Callable[[Of], Made]) -> None:
        self._make = make
        self._made: dict[int, tuple[Of, Made]] = {}

    def of(self, thing: Of) -> Made:
        """Return what was made of *thing*."""
        found = self._made.get(id(thing))
        if found is None:
            if len(self._made) >= _MOST:
                self._made.clear()
            found = self._made[id(thing)] = (thing, self._make(thing))
        return found[1]
