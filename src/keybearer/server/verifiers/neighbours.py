"""Exchanges with the other nodes, through the store, how far each one's verifiers have come."""

import asyncio
import math
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from keybearer.server.fault_log import FaultLog
from keybearer.server.feed.barrier import PATIENCE_S
from keybearer.server.feed.reader import FeedReader
from keybearer.server.records import Report
from keybearer.server.store import verifier_nodes
from keybearer.server.store.database import Database
from keybearer.server.store.faults import StoreFault, StoreUnavailable
from keybearer.server.store.verifier_nodes import ToldNode
from keybearer.server.verifiers.known import Verifiers
from keybearer.verify.lease import DRIFT

EVERY_S: Final = 0.1
_BEAT_EVERY_S: Final = 60.0
# A node that could not write for so long, by its own clock, answers no verifier any more. Whoever sees its beat stand
# still first saw it after it was written, so by another clock it is over this much later, and then the bound runs for
# the verifiers that it answered last: their leases count from before they asked.
_SILENT_S: Final = 300.0
_SILENT_ELSEWHERE_S: Final = _SILENT_S * (1 + 3 * DRIFT)

_LOG = structlog.get_logger("keybearer.neighbours")


class Neighbours:
    """
    Keeps this node's row, while it answers verifiers, and reads those of the others.

    A node is in the table before it answers its first verifier. So whoever reads the table after a commit knows of
    every node that may have answered a verifier without that commit. What its verifiers have confirmed a node writes
    only while another wants to know, at most every 100 ms.

    Args:
        boottime: seconds that go on while the machine sleeps.
        bound_s: a verifier that this node has not answered for so long accepts nothing. Other nodes may have another.
    """

    def __init__(
        self,
        database: Database,
        feed: FeedReader,
        verifiers: Verifiers,
        boottime: Callable[[], float],
        bound_s: int,
    ) -> None:
        self._database = database
        self._feed = feed
        self._verifiers = verifiers
        self._boottime = boottime
        self._bound_s = bound_s
        self._longest_bound_s = bound_s
        self._node_id = secrets.token_hex(8)
        self._announced_at = -math.inf
        self._announcing = asyncio.Lock()
        self._is_answering = asyncio.Event()
        self._told: Report | None = None
        self._beats: dict[str, tuple[int, bool, float]] = {}

    @asynccontextmanager
    async def sharing(self) -> AsyncIterator[None]:
        """Tell the others what they want to know while the block lasts, and leave a last word at its end."""
        task = asyncio.create_task(self._share(), name="neighbours")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if self._is_answering.is_set():
                await self._close()

    async def announce(self) -> None:
        """
        Have every node know that this one answers verifiers; to be called before each answer.

        Raises:
            StoreUnavailable: the store cannot be written, and the others do not know, or know no more, of this node.
        """
        if self._is_announced():
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._appear()
        except TimeoutError as error:
            raise StoreUnavailable("the store does not take down that this node answers verifiers") from error

    async def _appear(self) -> None:
        async with self._announcing:
            if self._is_announced():
                return
            began_at = self._boottime()
            await self._database.transact(verifier_nodes.appear, self._node_id, self._bound_s)
            self._told = None
            await self._feed.fresh()  # what is answered from here on has all that was acknowledged before
            self._announced_at = began_at
            self._is_answering.set()

    @property
    def longest_bound_s(self) -> int:
        """The longest bound of any node, as the table had it last: no verifier of any believes for longer."""
        return self._longest_bound_s

    async def reports(self, seq: int) -> list[Report]:
        """
        Return what the other nodes have told of theirs, without the nodes that are gone.

        Args:
            seq: the event of which is asked how far it has come; they are told so, and answer within moments.
        """
        told = await self._others()
        if any(node.wanted < seq and not node.is_closed for node in told):
            await self._database.transact(verifier_nodes.want, self._node_id, seq)
        return [node.report for node in told]

    async def _others(self) -> list[ToldNode]:
        """Read the other nodes' rows, and take away those of the ones that are gone."""
        told = [node for node in await verifier_nodes.everyone(self._database) if node.node_id != self._node_id]
        now = self._boottime()
        self._beats = {node.node_id: self._heard_at(node, now) for node in told}
        gone = [node for node in told if now - self._beats[node.node_id][2] > self._patience_s(node)]
        for node in gone:
            _LOG.info("node gone", node=node.node_id)
            await self._database.transact(verifier_nodes.forget, node)
        there = [node for node in told if node not in gone]
        self._longest_bound_s = max([self._bound_s, *(node.bound_s for node in there)])
        return there

    def _is_announced(self) -> bool:
        return self._boottime() - self._announced_at <= _SILENT_S

    def _heard_at(self, node: ToldNode, now: float) -> tuple[int, bool, float]:
        """Return the node's beat, and since when it stands still as seen from here, by our own clock."""
        before = self._beats.get(node.node_id)
        if before and before[:2] == (node.beat, node.is_closed):
            return before
        return node.beat, node.is_closed, now

    def _patience_s(self, node: ToldNode) -> float:
        """Return after how long a standstill all that a node has ever answered has lost its force."""
        return node.bound_s + (0 if node.is_closed else _SILENT_ELSEWHERE_S)

    async def _share(self) -> None:
        delay = FaultLog(_LOG, "neighbours put off")
        while True:
            await self._is_answering.wait()
            with delay.surviving(StoreFault):
                await self._take_turn()
            await asyncio.sleep(EVERY_S)

    async def _take_turn(self) -> None:
        if not self._verifiers.has_seen_within(self._bound_s):
            self._is_answering.clear()
            self._announced_at = -math.inf  # from here on whoever asks is announced anew, behind this lock
            async with self._announcing:
                if not self._is_answering.is_set():
                    await self._database.transact(verifier_nodes.leave, self._node_id)
            return
        if self._boottime() - self._announced_at >= _BEAT_EVERY_S:
            await self._beat()
        await self._tell_if_wanted()

    async def _beat(self) -> None:
        began_at = self._boottime()
        if await self._database.transact(verifier_nodes.beat, self._node_id):
            self._announced_at = began_at
            await self._others()  # so that those who stand still are noticed even while nobody waits

    async def _tell_if_wanted(self) -> None:
        """Tell how far our verifiers are, if that is wanted and has changed since it was told."""
        wanted, report, told = await verifier_nodes.wanted(self._database, self._node_id), self._report(), self._told
        if report is None or report == told or (told and told.epoch == report.epoch and _is_enough(told, wanted)):
            return
        await self._database.transact(verifier_nodes.tell, self._node_id, report)
        self._told = report

    def _report(self) -> Report | None:
        head = self._feed.position
        return self._verifiers.report(head, self._bound_s) if head else None

    async def _close(self) -> None:
        report = self._report()
        if report is None:
            return
        try:
            await self._database.transact(verifier_nodes.close, self._node_id, report)
        except StoreFault as fault:
            _LOG.warning("no last word to the neighbours", fault=type(fault).__name__, why=str(fault))


def _is_enough(told: Report, wanted: int) -> bool:
    """Tell whether nothing more is to be said of the event that is wanted."""
    return told.seq >= wanted and all(seq >= wanted for seq in told.reached.values())
