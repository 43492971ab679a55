"""Lets all requests that one turn of the event loop handles share one look at the feed."""

import asyncio
from collections.abc import Callable


class OneLook:
    """
    Remembers, until the turn of the event loop ends, that the node's memory has all that was committed.

    A request that is handled in a turn began to arrive before the turn, so a look during the turn is later than the
    sending of each of them. This is true of the tasks that requests start, and of hits, which are answered while the
    socket is read. But a turn runs its tasks before it reads sockets, so tasks and hits must not share one of these.

    Args:
        is_fresh: looks without waiting; False: memory perhaps lacks something.
    """

    def __init__(self, is_fresh: Callable[[], bool]) -> None:
        self._is_fresh = is_fresh
        self._has_looked = False

    def knows_all(self) -> bool:
        """Tell whether memory has all that was committed before the request was sent; False: perhaps not."""
        if not self._has_looked and self._is_fresh():
            self._has_looked = True
            asyncio.get_running_loop().call_soon(self._end_turn)
        return self._has_looked

    def _end_turn(self) -> None:
        self._has_looked = False
