"""What is made of an object that comes again and again."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

Of = TypeVar("Of")
Made = TypeVar("Made")

_MOST: Final = 10_000


class MadeOnce(Generic[Of, Made]):
    """
    Makes something of an object the first time that this very object comes, and remembers it.

    It asks for no equality, which of a principal takes longer to tell than what is made of it here; and an object that
    is remembered cannot make room for another with its identity.

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
