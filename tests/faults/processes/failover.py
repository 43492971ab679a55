"""F4: a standby takes over while the old primary lives on, with a node still at it, and verifiers at that node."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx2

from keybearer.server.store.migrations import migrate
from tests.faults.processes.programs import until
from tests.faults.processes.rig import Rig, Store, rig_on
from tests.support.processes import ServerProcess
from tests.support.replication import Pair, ask, running_pair

LEFT_BEHIND, MOVES_ON = "Anna", "Ben"  # the one knows the node at the old primary alone, the other both
_PATIENCE_S = 60.0


async def another_takes_over(folder: Path, seed: int) -> float:
    """
    Have a standby take over, end tokens at the new primary, and bring the node that was left behind over, too.

    Returns:
        How long after its acknowledged end a token was last accepted, seconds.

    Raises:
        AssertionError: that was longer than the bound; or the old primary acknowledged something; or nothing was shown,
            because without barriers the bound holds as well.
    """
    async with _taken_over(folder / "without barriers", "off", seed) as (rig, _):
        await until(lambda: LEFT_BEHIND in _late(rig), "without barriers the bound is broken")
    async with _taken_over(folder / "with barriers", "on", seed) as (rig, pair):
        for name in rig.ended:
            await until(partial(rig.ledger.has_refused, MOVES_ON, name), f"{MOVES_ON} hears of it at the other node")
        assert not _late(rig), rig.ledger.late()
        _, living = rig.new_token()
        async with httpx2.AsyncClient(timeout=_PATIENCE_S) as api:
            assert await rig.delete(api, rig.node, living) != 204, "the old primary acknowledges"
            await _move(rig.node, pair)
            await rig.until_back()
            assert await rig.living_dead() == []
            assert await rig.delete(api, rig.node, living) == 204, "what was not acknowledged was done"
        return rig.ledger.slowest_s()


@asynccontextmanager
async def _taken_over(folder: Path, barrier: str, seed: int) -> AsyncIterator[tuple[Rig, Pair]]:
    """Have a pair of which the standby has taken over, and tokens that were ended there, until the bound was over."""
    with running_pair() as pair:
        await asyncio.to_thread(migrate, pair.primary.url())
        await pair.be_synchronous()
        store = Store(pair.primary.url(), None, {"KEYBEARER_BARRIER": barrier})
        verifiers = dict.fromkeys((LEFT_BEHIND, MOVES_ON), "")
        async with rig_on(folder, store, seed=seed, verifiers=verifiers, asking_both={MOVES_ON}) as rig:
            (at_once, its_text), (later, text) = await rig.watched_token(), await rig.watched_token()
            await ask(pair.standby, "SELECT pg_promote()")
            # By hand, for the node takes longer to start than a lease lasts.
            await ask(pair.standby, f"DELETE FROM tokens WHERE last4 = '{its_text[-4:]}'")  # noqa: S608 - our own
            rig.acknowledge(at_once, its_text)
            await _move(rig.nodes[-1], pair)
            await rig.end(later, text)
            await rig.until_over(later)
            yield rig, pair


async def _move(node: ServerProcess, pair: Pair) -> None:
    """Start a node anew at the new primary."""
    node.kill()
    node.environment["KEYBEARER_DATABASE_URL"] = pair.standby.url()
    await asyncio.to_thread(node.start)


def _late(rig: Rig) -> set[str]:
    return {each.verifier for each in rig.ledger.late()}
