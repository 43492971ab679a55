"""Limits look-ups of unknown credentials, so that guesses cost the store no more than a few at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from keybearer.server import refusals
from keybearer.server.limits.neighbourhoods import neighbourhood
from keybearer.server.refusals import Refusal

_AT_ONCE: Final = 4  # of the eight connections on which PostgreSQL is read; the others are for the feed and for pages
_MOST: Final = 512
_MOST_OF_ONE: Final = 64  # twice what a verifier asks at once
_COME_BACK_S: Final = 1


class LookUps:
    """
    Lets a few look-ups run at once, and some more wait; all others are refused at once.

    Each asker has a limited number of places, so one that floods the node leaves places for others. Credentials that
    are known here already, such as a token in the mirror, are never looked up.

    Args:
        what: is looked up, for those who are refused.
        most_shared: with so many places taken the others are kept for askers that have none; None: no places are.
    """

    def __init__(
        self,
        at_once: int = _AT_ONCE,
        most: int = _MOST,
        most_of_one: int = _MOST_OF_ONE,
        what: str = "unknown credentials",
        most_shared: int | None = None,
    ) -> None:
        self._what = what
        self._lane = asyncio.Semaphore(at_once)
        self._most = most
        self._most_of_one = most_of_one
        self._most_shared = most if most_shared is None else most_shared
        self._here: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, whence: str) -> AsyncIterator[None]:
        """
        Wait for a place, and have it while the block lasts.

        Args:
            whence: who asks: an address, or a verifier.

        Raises:
            Refusal: ``too_many``: this one has enough of them already; ``unavailable``: all together have.
        """
        whence = neighbourhood(whence)
        taken = self._here.total()
        if self._here[whence] >= (self._most_of_one if taken < self._most_shared else 1):
            raise refusals.too_many(f"{self._what} at once", _COME_BACK_S)
        if taken >= self._most:
            public = f"Too many {self._what} at once. Try again in a second."
            raise Refusal("unavailable", public, f"{self._what} of many at once", retry_after_s=_COME_BACK_S)
        self._here[whence] += 1
        try:
            async with self._lane:
                yield
        finally:
            self._here[whence] -= 1
            if not self._here[whence]:
                del self._here[whence]
