"""F23: very many verifiers that lose their node at once, and come back at once."""

import asyncio
from contextlib import AsyncExitStack

from keybearer import Unavailable, Verifier
from keybearer.server import clock
from tests.faults.processes.programs import PATIENCE_S
from tests.faults.processes.rig import LIVING, Rig

_LOOK_EVERY_S = 0.2


async def herd_comes_back(rig: Rig, size: int) -> float:
    """
    Have so many verifiers at work, kill the node until no lease is left, start it; return how long the last one takes.

    Returns:
        Seconds from when the node says that it is ready until every one has accepted a token.

    Raises:
        TimeoutError: some never did.
    """
    token = rig.verifiers[0].tokens[LIVING]
    async with AsyncExitStack() as held:
        herd: list[Verifier] = []
        for _ in range(size):
            herd.append(await held.enter_async_context(Verifier(rig.node.url, key=rig.key)))
            await _accepts(herd[-1], token)
        rig.node.kill()
        await asyncio.sleep(rig.ledger.bound_s)
        assert not any(verifier.is_ready for verifier in herd)
        await asyncio.to_thread(rig.node.start)
        ready_at = clock.boottime()
        await _all_accept(herd, token)
        return clock.boottime() - ready_at


async def _all_accept(herd: list[Verifier], token: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(_accepts(verifier, token) for verifier in herd))


async def _accepts(verifier: Verifier, token: str) -> None:
    while True:
        try:
            await verifier.verify(token)
        except Unavailable:
            await asyncio.sleep(_LOOK_EVERY_S)
        else:
            return
