"""Randomness that is drawn for many at once: a system call for each would take longer than what it is for."""

import os
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from keybearer.reporting import forks

T = TypeVar("T")

_AT_ONCE: Final = 32


class RandomSupply(Generic[T]):
    """
    Gives random bytes out of the system's source, each time others; in any thread, and to no child of this process.

    Make them once in a process: they stay.

    Args:
        size: how many bytes each time.
        form: makes of them what is wanted.
    """

    def __init__(self, size: int, form: Callable[[bytes], T]) -> None:
        self._size = size
        self._form = form
        self._left: list[T] = []
        forks.in_child(self._left.clear)  # what is left there is the parent's

    def next(self) -> T:
        """Return the next, which nobody else is given."""
        try:
            return self._left.pop()
        except IndexError:
            drawn = os.urandom(self._size * _AT_ONCE)
            made = [self._form(drawn[at : at + self._size]) for at in range(0, len(drawn), self._size)]
            self._left.extend(made[1:])
            return made[0]
