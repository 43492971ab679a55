"""Lets all requests that one turn of the event loop handles share one look at the feed."""

import asyncio
from collections.abc import Callable


class OneLook:
    """
    Remembers, until the turn ends, that what the node has in memory is all that was committed.

    Of whatever is handled in a turn the first byte had come before the turn began, so a look in that turn came after it
    was sent. That holds among the tasks that requests set going, and among hits, which are answered as they are read;
    but a turn runs its tasks before it reads, so the two must not share one of these.

    Args:
        is_fresh: looks, and waits for nothing; False: what is in memory is perhaps not all.
    """

    def __init__(self, is_fresh: Callable[[], bool]) -> None:
        self._is_fresh = is_fresh
        self._has_looked = False

    def knows_all(self) -> bool:
        """Tell whether all that was committed before the request was sent is known; False: perhaps not."""
        if not self._has_looked and self._is_fresh():
            self._has_looked = True
            asyncio.get_running_loop().call_soon(self._end_turn)
        return self._has_looked

    def _end_turn(self) -> None:
        self._has_looked = False
