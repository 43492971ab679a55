"""Fetches single tokens that the mirror does not know: one question for each token, a few at a time in all."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keybearer.sdk.driver import TIMEOUT_S, Driver
from keybearer.sdk.errors import InvalidToken, Unavailable
from keybearer.sdk.judging import Wanted
from keybearer.sdk.nodes import Nodes
from keybearer.sdk.transport import Transport, Unanswered
from keybearer.verify.lease import DRIFT, Lease
from keybearer.verify.recent_denials import RecentDenials
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.feed import Fetched
from keybearer.wire.messages import Malformed, denial_from_json, fetched_from_json
from keybearer.wire.principal import Principal

MOST_AT_ONCE: Final = 32
MOST_WAITING: Final = 2_000
ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What a node said of a token.

    Args:
        outcome: who acts by it, or why nobody; a text: why that cannot be known.
        good_until: seconds, BOOTTIME; a principal proves nothing afterwards.
    """

    outcome: Principal | Denial | str
    good_until: float

    def principal(self, clock: Callable[[], float]) -> Principal:
        """
        Return who acts by the token; the clock is read here, last, however long this was waited for.

        Raises:
            InvalidToken: nobody does.
            Unavailable: it cannot be known.
        """
        if isinstance(self.outcome, Denial):
            raise InvalidToken(self.outcome)
        if isinstance(self.outcome, str):
            raise Unavailable(self.outcome)
        if clock() > self.good_until:
            raise Unavailable("the answer about this token is too old")
        return self.outcome


class Asker:
    """Asks nodes about tokens; all who want to know the same one wait for the same answer."""

    def __init__(
        self, lease: Lease, nodes: Nodes, driver: Driver, transport: Transport, clock: Callable[[], float]
    ) -> None:
        self._lease = lease
        self._nodes = nodes
        self._driver = driver
        self._transport = transport
        self._clock = clock
        self._denials = RecentDenials()
        self._flights: dict[bytes, asyncio.Task[Seen]] = {}
        self._lanes = asyncio.Semaphore(MOST_AT_ONCE)

    async def ask(self, digest: bytes, wanted: Wanted) -> Seen:
        """Return what a node says of the token of this *digest*, or has just said."""
        mirrored = self._lease.known(digest, self._clock)
        if mirrored is not None:  # it was told of while whoever asks was on the way here from another thread
            return Seen(mirrored, self._lease.valid_until(mirrored))
        denial = self._denials.get(digest, self._lease.position, self._clock())
        if denial is not None:
            return Seen(denial, 0.0)
        flight = self._flights.get(digest)
        if flight is None:
            if self._driver.is_cut_off:
                return Seen("no Keybearer server answers", 0.0)
            if len(self._flights) >= MOST_WAITING:
                return Seen("too many unknown tokens at once", 0.0)
            flight = asyncio.create_task(self._fly(digest, wanted))
            self._flights[digest] = flight
            flight.add_done_callback(lambda _: self._flights.pop(digest, None))
        try:
            return await asyncio.shield(flight)  # whoever gives up waiting does not end it for the others
        except asyncio.CancelledError:
            if flight.cancelled():
                return Seen("the verifier was closed", 0.0)
            raise

    async def close(self) -> None:
        """End every question; whoever waits for an answer is told that there will be none."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _fly(self, digest: bytes, wanted: Wanted) -> Seen:
        try:
            async with asyncio.timeout(ATTEMPTS * TIMEOUT_S), self._lanes:
                return await self._answer(digest, wanted)
        except TimeoutError:
            return Seen("no Keybearer server answered in time", 0.0)

    async def _answer(self, digest: bytes, wanted: Wanted) -> Seen:
        why = ""
        for _ in range(ATTEMPTS):
            nonce, position, asked_at = secrets.token_hex(16), self._lease.position, self._clock()
            call = self._driver.fetch(nonce, digest)
            try:
                answer = _read(await self._transport.post(call), nonce)
            except (Unanswered, Malformed) as error:
                self._nodes.failed(call.node)
                why = str(error)
                continue
            if isinstance(answer, Denial):
                self._denials.keep(digest, answer, position, self._lease.position, self._clock())
                return Seen(answer, 0.0)
            if (seen := self._taken_in(digest, answer, asked_at, wanted)) is not None:
                return seen
            why = "the answer about this token was overtaken by events"
        return Seen(why, 0.0)

    def _taken_in(self, digest: bytes, fetched: Fetched, asked_at: float, wanted: Wanted) -> Seen | None:
        """Return what the answer says; None if it proves nothing any more."""
        if fetched.principal.environment != wanted.environment:
            return Seen(Denial(Reason.WRONG_ENVIRONMENT, fetched.principal.token_last4), 0.0)
        taken = self._lease.fetched(digest, fetched, asked_at, self._clock())
        if taken is None:
            return None
        return Seen(taken, asked_at + min(self._lease.lease_s, fetched.remaining_s * (1 - DRIFT)))


def _read(body: Mapping[str, Any], nonce: str) -> Fetched | Denial:
    """
    Return what an answer to fetch says.

    Raises:
        Malformed: it is not what it should be, or the answer to another question.
    """
    if body.get("nonce") != nonce:
        raise Malformed("an answer to fetch is not to this question")
    match body:
        case {"fetched": dict(fetched), "denied": None}:
            return fetched_from_json(fetched)
    return denial_from_json(body)
