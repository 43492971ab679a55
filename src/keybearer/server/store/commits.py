"""The commits of a process, counted for the metrics: how long they took, and what they changed."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from keybearer.server.activities import ACTIONS
from keybearer.server.histogram import Histogram

BOUNDS_S: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)


class Commits:
    """
    How long commits took, and how many transactions went into them: SQLite groups those that wait at one moment.

    Attributes:
        seconds: of each commit that went well.
        works: transactions whose commit went well, those included that were refused and left nothing behind.
        changes: what these did, by the name of the action.
    """

    def __init__(self) -> None:
        self.seconds = Histogram(BOUNDS_S)
        self.works = 0
        self.changes: Counter[str] = Counter(dict.fromkeys(ACTIONS, 0))

    def note(self, seconds: float, works: int, done: Iterable[str]) -> None:
        """Count a commit that went well."""
        self.seconds.add(seconds)
        self.works += works
        self.changes.update(done)
