"""Limits on what may be tried by guessing: wrong client secrets, addresses of people who may not be here."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from keybearer.server.clock import SECOND
from keybearer.server.rules.quota import draw
from keybearer.server.settings import Rate

_MOST_KEPT: Final = 20_000


class AttemptLimit:
    """
    Counts attempts by whoever makes them, in this process's memory, which is bounded.

    Args:
        rate: how many each may make.
    """

    def __init__(self, rate: Rate) -> None:
        self._limit, window_s = rate
        self._window = window_s * SECOND
        self._full_at: OrderedDict[Hashable, int] = OrderedDict()

    def count(self, key: Hashable, now: int) -> int:
        """
        Count one attempt at *now* (microseconds).

        Args:
            key: who makes it.

        Returns:
            Seconds until another one is within the limit; 0 if this one is.
        """
        allowance = draw(self._limit, self._window, self._full_at.pop(key, 0), now)
        self._full_at[key] = allowance.full_at  # the newest stands last, so the first is the oldest
        if len(self._full_at) > _MOST_KEPT:
            self._full_at.popitem(last=False)
        return -(-allowance.retry_after // SECOND)
