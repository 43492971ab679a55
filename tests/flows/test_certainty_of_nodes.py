"""Certainty where several nodes share the database: each knows its own verifiers, and tells the others."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.support.api import Stage, set_stage
from tests.support.clock import HandClock
from tests.support.house import House
from tests.support.verifiers import Asking, asking
from tests.support.waiting import BOUND_S, PATIENCE_S, Town, certain, open_town, revoking, still_waits, until

LONGER_BOUND_S = 30
SILENT_S = 309  # five minutes, and what the clocks of two machines may be apart by then


@pytest.fixture
async def town(database_url: str, tmp_path: Path, clock: HandClock) -> AsyncIterator[Town]:
    async with open_town(database_url, tmp_path, clock) as opened:
        yield opened


@pytest.fixture
async def stage(town: Town) -> Stage:
    return await set_stage(await town.node())


async def at_another_node(verifier: Asking, house: House) -> Asking:
    """Let a verifier ask another node from now on."""
    verifier.program = house.api(verifier.key)
    return verifier


async def test_a_verifier_of_another_node_is_waited_for_and_its_word_gets_around(stage: Stage, town: Town) -> None:
    verifier = await at_another_node(await asking(stage.house), await town.node())
    await verifier.sync()
    await verifier.sync()
    task = await revoking(stage)
    await still_waits(task)
    async with asyncio.timeout(PATIENCE_S):
        while not task.done():
            await verifier.sync()
            await asyncio.sleep(0.02)
    await certain(task)


async def test_a_silent_verifier_of_another_node_is_waited_for_until_the_bound(stage: Stage, town: Town) -> None:
    await (await at_another_node(await asking(stage.house), await town.node())).sync()
    task = await revoking(stage)
    town.boottime.advance(BOUND_S - 0.01)
    await still_waits(task)
    town.boottime.advance(0.01)
    await certain(task)


async def test_a_verifier_that_goes_to_another_node_is_heard_there(stage: Stage, town: Town) -> None:
    verifier = await at_another_node(await asking(stage.house), await town.node())
    await verifier.sync()
    task = await revoking(stage)
    await at_another_node(verifier, stage.house)
    await verifier.sync()
    await verifier.sync()
    await certain(task)


async def test_a_node_that_has_ended_leaves_word_of_its_verifiers(stage: Stage, town: Town) -> None:
    async with town.node_for_a_while() as other:
        await (await at_another_node(await asking(stage.house), other)).sync()
    task = await revoking(stage)
    await still_waits(task)
    town.boottime.advance(BOUND_S)
    await certain(task)
    town.boottime.advance(0.01)  # by now it is known of that node that it ended a bound ago
    await certain(await revoking(stage))


async def test_a_verifier_of_a_node_with_a_longer_bound_is_waited_for_by_that_bound(stage: Stage, town: Town) -> None:
    town.settings = town.settings.model_copy(update={"bound": LONGER_BOUND_S})
    await (await at_another_node(await asking(stage.house), await town.node())).sync()
    task = await revoking(stage)
    town.boottime.advance(BOUND_S)
    await still_waits(task)
    town.boottime.advance(LONGER_BOUND_S - BOUND_S)
    await certain(task)


async def test_a_node_that_has_ended_is_reckoned_with_by_the_bound_that_it_had(stage: Stage, town: Town) -> None:
    town.settings = town.settings.model_copy(update={"bound": LONGER_BOUND_S})
    async with town.node_for_a_while() as other:
        await (await at_another_node(await asking(stage.house), other)).sync()
    await certain_after(LONGER_BOUND_S, await revoking(stage), town)
    await certain(await revoking(stage))


async def certain_after(seconds: int, task: asyncio.Task[httpx2.Response], town: Town) -> None:
    """See that a revocation is certain after so long, and no sooner; and let a moment more go by."""
    town.boottime.advance(seconds - 0.01)
    await still_waits(task)
    town.boottime.advance(0.02)
    await certain(task)


async def test_a_node_that_vanished_is_reckoned_with_until_it_must_have_noticed_itself(
    stage: Stage, town: Town
) -> None:
    other = await town.node()
    await (await at_another_node(await asking(stage.house), other)).sync()
    vanish(other)
    task = await revoking(stage)
    await until(lambda: bool(stage.house.node.neighbours._beats))  # the silence counts from the first look at it
    await still_waits(task)
    town.boottime.advance(BOUND_S)
    await certain(task)
    town.boottime.advance(SILENT_S)
    task = await revoking(stage)
    await still_waits(task)
    town.boottime.advance(0.1)
    await certain(task)
    await certain(await revoking(stage))


def vanish(house: House) -> None:
    """Let a node write nothing any more, as one does that was killed."""
    neighbours = house.node.neighbours

    async def nothing() -> None:
        """Stand in for its turns and its last word."""

    neighbours._take_turn = nothing  # type: ignore[method-assign]
    neighbours._close = nothing  # type: ignore[method-assign]
