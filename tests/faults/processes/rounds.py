"""Rounds of trouble: a token is ended in the middle of each, and nobody may accept it longer than the bound."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

from tests.faults.processes.rig import Rig
from tests.faults.processes.troubles import NodeTrouble, Trouble

# Each mistake with a trouble in which it must be seen: the ledger would catch a right verifier, too, that were wrong.
MISTAKES: Final = {"no lease": "F7 cut off", "no nonce": "F9 replayed"}


@dataclass(frozen=True, slots=True)
class Round:
    """
    What was seen in one round.

    Args:
        accepted_s: how long after its acknowledged end the token was last accepted by a right verifier.
        back_s: how long after all was mended the last verifier accepted a good token.
    """

    accepted_s: float
    back_s: float


async def play_round(rig: Rig, troubles: Mapping[str, Trouble], node_trouble: NodeTrouble | None = None) -> Round:
    """
    Have a token accepted by all, bring on the troubles, end the token, wait for the bound, mend all, wait for service.

    Args:
        troubles: by the names of the verifiers that have any.
    """
    name, text = await rig.watched_token()
    async with in_trouble(rig, troubles, node_trouble):
        await rig.end(name, text)
        await rig.until_over(name)
        await rig.until_caught()
    back_s = await rig.until_back()
    last = max(rig.ledger.latest(verifier.name, name) for verifier in rig.verifiers if not verifier.mistake)
    return Round(last - rig.ledger.ended_at[name], back_s)


@asynccontextmanager
async def in_trouble(
    rig: Rig, troubles: Mapping[str, Trouble], node_trouble: NodeTrouble | None
) -> AsyncIterator[None]:
    """Have troubles while the block lasts; all are mended at once."""
    async with node_trouble(rig) if node_trouble else nullcontext(), AsyncExitStack() as held:
        for verifier in rig.verifiers:
            if verifier.name in troubles:
                await held.enter_async_context(troubles[verifier.name](rig, verifier))
        yield
