"""Tells requests when this node's memory has all that was committed before they were sent."""

import asyncio
from collections.abc import Callable
from functools import partial

from keybearer.server.feed.one_look import OneLook
from keybearer.server.feed.reader import FeedReader

Told = Callable[[bool], None]
"""Is called with True once memory has all of it; with False: perhaps not."""


class Freshness:
    """
    Looks at the feed for requests that are answered out of memory.

    Where the store answers at once, so does this, and a turn of the event loop has one look. Elsewhere a look is a
    round trip, which all share that were read before it began: it begins after each of them was sent.
    """

    def __init__(self, feed: FeedReader) -> None:
        self._feed = feed
        self.knows_all = OneLook(feed.is_fresh).knows_all
        self.takes_time = not feed.tells_at_once

    def when_known(self, told: Told) -> None:
        """Call *told* after the next look; where that takes no time, `knows_all` tells at once."""
        self._feed.coming_look().add_done_callback(partial(_tell, told))


def _tell(told: Told, look: asyncio.Task[None]) -> None:
    """Tell one who waited for a look; if it failed, the application will meet that too, and say so."""
    told(not look.cancelled() and look.exception() is None)
