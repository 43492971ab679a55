"""Tells requests when this node's memory has all that was committed before they were sent."""

import asyncio
from collections.abc import Callable

from keybearer.server.feed.one_look import OneLook
from keybearer.server.feed.reader import FeedReader
from keybearer.server.store.faults import StoreFault

Told = Callable[[bool], None]
"""Is called with True once memory has all of it; with False: perhaps not."""


class Freshness:
    """
    Looks at the feed for requests that are answered out of memory.

    Where the store answers at once, so does this, and a turn of the event loop has one look. Elsewhere a look is a
    round trip, which all share that were read in one turn: it begins after each of them was sent.
    """

    def __init__(self, feed: FeedReader) -> None:
        self._feed = feed
        self._look = OneLook(feed.is_fresh)
        self._coming: list[Told] = []
        self._looks: set[asyncio.Task[None]] = set()
        self.knows_all = self._look.knows_all
        self.takes_time = not feed.tells_at_once

    def when_known(self, told: Told) -> None:
        """Call *told* after the next look; where that takes no time, `knows_all` tells at once."""
        if not self._coming:
            look = asyncio.create_task(self._tell_after_a_look(), name="freshness-look")
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
        self._coming.append(told)

    async def _tell_after_a_look(self) -> None:
        waiting, self._coming = self._coming, []
        is_known = False
        try:
            await self._feed.fresh()
            is_known = True
        except StoreFault:
            pass  # the application will meet it too, and say so
        finally:
            loop = asyncio.get_running_loop()
            for told in waiting:
                loop.call_soon(told, is_known)
