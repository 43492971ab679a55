"""Turns go round among the sources that want them, and none is lost when somebody goes."""

import asyncio

from keybearer.server.fair_turns import FairTurns

CROWD, OTHERS, ALONE = "192.0.2.1", "192.0.2.2", "192.0.2.9"


async def test_whoever_comes_alone_waits_for_one_turn_of_each_crowd() -> None:
    turns, order = FairTurns(1), list[str]()

    async def take(source: str, name: str) -> None:
        async with turns.turn(source):
            order.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(take(CROWD, f"crowd {number}"))
        for number in range(3):
            group.create_task(take(OTHERS, f"others {number}"))
        group.create_task(take(ALONE, "alone"))
    assert order == [
        *("crowd 0", "crowd 1", "others 0", "alone"),
        *("crowd 2", "others 1", "crowd 3", "others 2", "crowd 4"),
    ]


async def test_as_many_work_at_once_as_may_and_no_more() -> None:
    turns, at_work, most = FairTurns(2), 0, 0

    async def take(source: str) -> None:
        nonlocal at_work, most
        async with turns.turn(source):
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0)
            at_work -= 1

    for _ in range(2):  # what was used by one crowd is there for the next
        await asyncio.gather(*(take(source) for source in (CROWD, OTHERS) * 4))
    assert most == 2


async def test_whoever_goes_takes_no_turn_along() -> None:
    turns, gate = FairTurns(1), asyncio.Event()

    async def take() -> None:
        async with turns.turn(CROWD):
            await gate.wait()

    first, waiting, given, last = [asyncio.create_task(take()) for _ in range(4)]
    await asyncio.sleep(0)
    waiting.cancel()
    first.cancel()
    await asyncio.wait([first, waiting])  # what the first had is given to the third
    given.cancel()
    gate.set()
    await asyncio.wait_for(last, 60)
    await asyncio.wait_for(take(), 60)


async def test_a_turn_that_is_given_to_somebody_who_goes_at_that_moment_is_given_on() -> None:
    turns = FairTurns(1)
    async with turns.turn(CROWD):
        going, staying = [asyncio.create_task(turns.turn(CROWD).__aenter__()) for _ in range(2)]
        await asyncio.sleep(0)
    going.cancel()  # it was given just now, and has not gone on yet
    await asyncio.wait_for(staying, 60)
    assert going.cancelled()
