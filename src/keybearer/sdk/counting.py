"""Has calls granted: asks the nodes for them, in one question for all who wait, one question at a time."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from keybearer.sdk.driver import Driver
from keybearer.sdk.nodes import Nodes
from keybearer.sdk.transport import Transport, Unanswered
from keybearer.verify.granted_calls import GrantedCalls
from keybearer.wire.messages import Malformed
from keybearer.wire.quota import Grant, Terms, Want, grants_from_json, wants_as_json

ATTEMPTS: Final = 2
UNCOUNTED_S: Final = 5.0  # then the nodes are asked again: they may be newer by now
_LOG: Final = logging.getLogger("keybearer")


class Counting:
    """
    Sees to it that there are granted calls in hand.

    Args:
        clock: seconds, BOOTTIME.
    """

    def __init__(
        self, granted: GrantedCalls, nodes: Nodes, driver: Driver, transport: Transport, clock: Callable[[], float]
    ) -> None:
        self._granted = granted
        self._nodes = nodes
        self._driver = driver
        self._transport = transport
        self._clock = clock
        self._turn = asyncio.Lock()
        self._coming: asyncio.Task[str | None] | None = None
        self._flights: set[asyncio.Task[str | None]] = set()

    async def ask(self, user_id: int, team_id: int) -> str | None:
        """Ask for a call that waits, and for what may be needed next; return why there was no answer, or None."""
        if self._driver.is_cut_off:
            return "no Keybearer server answers"
        self._granted.want(user_id, team_id)
        flight = self._coming_flight()
        try:
            return await asyncio.shield(flight)  # whoever gives up waiting does not end it for the others
        except asyncio.CancelledError:
            if flight.cancelled():
                return "the verifier was closed"
            raise

    def settle(self) -> None:
        """Ask ahead of need; called each time the server was heard."""
        if self._granted.is_wanting and not self._driver.is_cut_off:
            self._coming_flight()

    async def close(self) -> None:
        """End every question; whoever waits is told that there will be no answer."""
        flights = list(self._flights)
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _coming_flight(self) -> asyncio.Task[str | None]:
        """Return the flight that has not begun yet: it asks for all who have come until it does."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._fly())
            self._flights.add(self._coming)
            self._coming.add_done_callback(self._flights.discard)
        return self._coming

    async def _fly(self) -> str | None:
        await asyncio.sleep(0)  # where tasks are eager, it begins before whoever makes it has kept it
        async with self._turn:
            self._coming = None
            wants = self._granted.wants(self._clock())
            return await self._answer(wants) if wants else None

    async def _answer(self, wants: tuple[Want, ...]) -> str | None:
        """
        Put a question; if its answer is lost, so is what it granted, and other calls are asked for.

        While nodes are replaced by newer ones, some do not know the question: that keeps nobody out.
        """
        why, is_unknown = "", False
        for _ in range(ATTEMPTS):
            nonce, asked_at = secrets.token_hex(16), self._clock()
            call = self._driver.count(nonce, wants_as_json(wants))
            try:
                terms, grants = _read(await self._transport.post(call), nonce)
            except (Unanswered, Malformed) as error:
                self._nodes.failed(call.node)
                why = str(error)
                is_unknown = is_unknown or (isinstance(error, Unanswered) and error.is_unknown)
                continue
            wanted = {(want.user_id, want.team_id) for want in wants}
            asked_for = [each for each in grants if (each.user_id, each.team_id) in wanted]
            self._granted.take_in(terms, asked_for, asked_at, self._clock())
            return None
        if is_unknown:
            _LOG.warning("calls are let through uncounted: a node is too old to count them")
            self._granted.count_nothing(self._clock() + UNCOUNTED_S)
            return None
        _LOG.info("calls could not be counted: %s", why)
        return why


def _read(body: Mapping[str, Any], nonce: str) -> tuple[Terms, tuple[Grant, ...]]:
    """
    Return what an answer to count says.

    Raises:
        Malformed: it is not what it should be, or the answer to another question: what that granted is spent, perhaps.
    """
    if body.get("nonce") != nonce:
        raise Malformed("an answer to count is not to this question")
    return grants_from_json(body)
