"""Makes verifiers survive a fork: the child's begin anew, and leave the parent's connections alone."""

from typing import Final, Protocol
from weakref import WeakSet

from keybearer.reporting import forks


class Forkable(Protocol):
    """Has a state that belongs to one process."""

    def reset_after_fork(self) -> object:
        """Begin anew; return what belongs to the parent."""


_ALIVE: Final[WeakSet[Forkable]] = WeakSet()
# Kept for ever: to close a connection, or an event loop whose poller the two processes share, would end the parent's.
_THE_PARENTS: Final[list[object]] = []


def reset_in_child(verifier: Forkable) -> None:
    """
    Have *verifier* begin anew in every child process that is forked while it exists.

    Source: coherence.md 5.3, V6.
    """
    _ALIVE.add(verifier)


def _after_fork() -> None:
    for verifier in list(_ALIVE):
        _THE_PARENTS.append(verifier.reset_after_fork())


forks.in_child(_after_fork)
