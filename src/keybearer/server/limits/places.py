"""Limits how many wait at once for what takes long, so that one asker who floods it leaves places for others."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Final

from keybearer.server import refusals
from keybearer.server.limits.neighbourhoods import neighbourhood
from keybearer.server.refusals import Refusal

_COME_BACK_S: Final = 1


class Places:
    """
    Gives some askers a place, in which they wait for their turn; all others are refused at once.

    Args:
        what: they come with, for those who are refused.
        most: how many there are.
        most_of_one: how many of them one asker may have.
        most_shared: with so many taken the others are kept for askers that have none.
        at_once: how many have their turn at once; None: whoever has a place, for they take turns elsewhere.
    """

    def __init__(self, what: str, *, most: int, most_of_one: int, most_shared: int, at_once: int | None) -> None:
        self._what = what
        self._turn = nullcontext() if at_once is None else asyncio.Semaphore(at_once)
        self._most = most
        self._most_of_one = most_of_one
        self._most_shared = most_shared
        self._here: Counter[str] = Counter()

    @classmethod
    def for_look_ups(cls) -> "Places":
        """
        Return those for look-ups of unknown credentials, so that guesses cost the store no more than a few at once.

        Credentials that are known here already, such as a token in the mirror, are never looked up. PostgreSQL is read
        on eight connections: half of them are for the feed and for pages. A verifier asks 32 questions at once.
        """
        return cls("unknown credentials", most=512, most_of_one=64, most_shared=512, at_once=4)

    @classmethod
    def for_typed_passwords(cls) -> "Places":
        """Return those for sign-ins whose password is to be checked, in their turn by `accounts.passwords`."""
        return cls("sign-ins", most=256, most_of_one=32, most_shared=128, at_once=None)

    @asynccontextmanager
    async def place(self, source: str) -> AsyncIterator[None]:
        """
        Take a place, wait for its turn, and have it while the block lasts.

        Args:
            source: who asks: an address, or a verifier.

        Raises:
            Refusal: ``too_many``: this one has enough of them already; ``unavailable``: all together have.
        """
        source = neighbourhood(source)
        taken = self._here.total()
        if self._here[source] >= (self._most_of_one if taken < self._most_shared else 1):
            raise refusals.too_many(f"{self._what} at once", _COME_BACK_S)
        if taken >= self._most:
            public = f"Too many {self._what} at once. Try again in a second."
            raise Refusal("unavailable", public, f"{self._what} of many at once", retry_after_s=_COME_BACK_S)
        self._here[source] += 1
        try:
            async with self._turn:
                yield
        finally:
            self._here[source] -= 1
            if not self._here[source]:
                del self._here[source]
