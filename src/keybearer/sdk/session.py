"""A running verifier in one process and one event loop: its connections, and the task that updates its mirror."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Final

import httpx2

from keybearer.reporting.reporter import Reporter
from keybearer.sdk.asking import MOST_AT_ONCE, Asker, Seen
from keybearer.sdk.clocks import SYSTEM, Clocks
from keybearer.sdk.counting import Counting
from keybearer.sdk.delivery import Delivery
from keybearer.sdk.driver import Driver
from keybearer.sdk.following import follow
from keybearer.sdk.judging import Wanted
from keybearer.sdk.line import Line
from keybearer.sdk.nodes import Nodes
from keybearer.sdk.transport import Transport, is_direct
from keybearer.sdk.trust import trust_for
from keybearer.verify.granted_calls import GrantedCalls
from keybearer.verify.lease import Lease


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What a verifier lives in.

    Args:
        make_transport: returns what carries the requests, an httpx2 transport with certificates of one's own, say;
            None: the network as httpx2 finds it.
    """

    make_transport: Callable[[], httpx2.AsyncBaseTransport | None] = lambda: None
    clocks: Clocks = SYSTEM


MACHINE: Final = Surroundings()


class Session:
    """
    What begins when a verifier starts, and is thrown away when it is closed or its process was forked.

    Args:
        lease: empty; nobody else takes anything in with it, nor with *granted*.
    """

    def __init__(
        self, urls: tuple[str, ...], key: str, lease: Lease, granted: GrantedCalls, surroundings: Surroundings
    ) -> None:
        clocks = surroundings.clocks
        random: Final[Random] = SystemRandom()
        self._nodes = nodes = Nodes(urls, random)
        driver = Driver(lease, nodes, f"{random.getrandbits(128):032x}", clocks, random)
        # More connections than questions about tokens at once: these hold up neither feed nor counting nor reports.
        transport = surroundings.make_transport()
        trust = trust_for(urls)
        self._transport = Transport(key, trust, MOST_AT_ONCE + 3, transport)
        self._line = Line(key, trust) if transport is None and is_direct() else None
        self._asker = Asker(lease, nodes, driver, self._transport, clocks.boottime)
        self._counting = Counting(granted, nodes, driver, self._transport, clocks.boottime)
        self._driver = driver
        self._told = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self._tasks = [self.loop.create_task(follow(driver, self._line or self._transport, self._tell))]

    @property
    def trouble(self) -> str | None:
        """Why the server is out of touch; None if it is not."""
        return self._driver.trouble

    async def ask(self, digest: bytes, wanted: Wanted) -> Seen:
        """Return what a node says of a token."""
        return await self._asker.ask(digest, wanted)

    async def ask_for_call(self, user_id: int, team_id: int) -> str | None:
        """Ask for calls of this user in this team; return why there was no answer, or None."""
        return await self._counting.ask(user_id, team_id)

    def report(self, reporter: Reporter) -> None:
        """Ship what a reporter has to report for as long as this lasts."""
        self._tasks.append(self.loop.create_task(reporter.ship(Delivery(self._nodes, self._transport))))

    async def news(self) -> None:
        """Wait until the server has been heard, or has not."""
        self._told.clear()
        await self._told.wait()

    async def close(self) -> None:
        """End everything."""
        self._told.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._asker.close()
        await self._counting.close()
        await self._transport.close()
        if self._line:
            await self._line.close()

    def _tell(self) -> None:
        self._told.set()
        self._counting.settle()
