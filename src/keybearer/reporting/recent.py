"""The newest calls that are over, in memory as well as in the files: what is here need not be read back."""

from collections import deque
from itertools import islice
from typing import Final, NamedTuple

from keybearer.reporting.lines import Intent, Outcome

MOST: Final = 4_096  # some 4 MB


class Finished(NamedTuple):
    """
    A call that is over.

    Args:
        file: the number of the file that says how it ended.
    """

    intent: Intent
    outcome: Outcome
    file: int


class Recent:
    """
    Keeps the newest calls of one life that are over, and lets go of the oldest when there are too many.

    Whoever holds it sees to it that one thread at a time uses it.

    Args:
        most: how many.
    """

    def __init__(self, most: int = MOST) -> None:
        self._kept: deque[Finished] = deque(maxlen=most)
        self.newest = 0
        """The number of the newest: how many there were."""

    def keep(self, finished: Finished) -> None:
        """Keep the next one, which has just been appended to its file."""
        self._kept.append(finished)
        self.newest += 1

    def behind(self, number: int, most: int) -> list[Finished] | None:
        """
        Return the next ones behind a number; those up to it are not wanted any more.

        Returns:
            None: some of them are in the files alone.
        """
        unwanted = number - (self.newest - len(self._kept))
        if unwanted < 0:
            return None
        for _ in range(unwanted):
            self._kept.popleft()
        return list(islice(self._kept, most))
