"""One look at the feed for all that one turn of the event loop has to answer."""

import asyncio
from collections.abc import Callable


class OneLook:
    """
    Remembers, until the turn ends, that what the node has in memory is all that was committed.

    It is for the tasks that requests set going: whatever is handled in a turn was read before the turn began, so a look
    in that turn came after it was sent.

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
