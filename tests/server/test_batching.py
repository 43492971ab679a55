"""Callers who come at one moment are served by one call, and none of them is hurt by another."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from keybearer.server.batching import Batcher
from keybearer.server.store.faults import OutcomeUnknown, StoreUnavailable


class Kitchen:
    """Doubles numbers, one call at a time as the test opens the door; 0 must be served alone, -1 spoils a call."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.door = asyncio.Event()
        self.till = asyncio.Event()
        self.till.set()
        self.fault: Exception = StoreUnavailable("away")

    async def act(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        """Do the work, and keep it once the till is open."""
        done = await work(self)
        await self.till.wait()
        return done

    async def serve(self, _kitchen: "Kitchen", asked: Sequence[int], *, is_alone: bool) -> list[int | None]:
        self.calls.append(list(asked))
        await self.door.wait()
        if -1 in asked:
            raise self.fault
        return [None if one == 0 and not is_alone else one * 2 for one in asked]


async def served(kitchen: Kitchen, *asked: int) -> list[int | BaseException]:
    batcher: Batcher[int, int] = Batcher(kitchen.act, kitchen.serve)
    asking = [asyncio.ensure_future(batcher.ask(one)) for one in asked]
    await asyncio.sleep(0)
    kitchen.door.set()
    return await asyncio.gather(*asking, return_exceptions=True)


async def test_those_who_come_at_one_moment_share_a_call_and_each_gets_his_own_answer() -> None:
    kitchen = Kitchen()
    assert await served(kitchen, 1, 2, 3) == [2, 4, 6]
    assert kitchen.calls == [[1, 2, 3]]


async def test_whoever_comes_alone_does_not_wait_for_company() -> None:
    kitchen = Kitchen()
    assert await served(kitchen, 7) == [14]


async def test_while_a_call_runs_the_others_gather_for_the_next() -> None:
    kitchen = Kitchen()
    batcher: Batcher[int, int] = Batcher(kitchen.act, kitchen.serve)
    asking = []
    for one in range(1, 7):
        asking.append(asyncio.ensure_future(batcher.ask(one)))
        for _ in range(5):
            await asyncio.sleep(0)
    kitchen.door.set()
    assert await asyncio.gather(*asking) == [2, 4, 6, 8, 10, 12]
    assert kitchen.calls == [[1], [2, 3, 4, 5, 6]]


async def test_who_must_be_served_alone_is() -> None:
    kitchen = Kitchen()
    assert await served(kitchen, 1, 0, 2) == [2, 0, 4]
    assert kitchen.calls == [[1, 0, 2], [0]]


async def test_a_fault_that_kept_nothing_reaches_only_who_brings_it_about() -> None:
    kitchen = Kitchen()
    first, fault, last = await served(kitchen, 1, -1, 2)
    assert (first, last) == (2, 4)
    assert isinstance(fault, StoreUnavailable)
    assert sorted(kitchen.calls[1:]) == [[-1], [1], [2]]


async def test_when_nobody_knows_whether_it_was_kept_all_are_told_so_and_nothing_is_tried_again() -> None:
    kitchen = Kitchen()
    kitchen.fault = OutcomeUnknown("COMMIT was cut off")
    answers = await served(kitchen, 1, -1, 2)
    assert all(isinstance(answer, OutcomeUnknown) for answer in answers)
    assert len({id(answer) for answer in answers}) == 3
    assert len(kitchen.calls) == 1


async def test_a_caller_who_goes_away_leaves_the_others_alone() -> None:
    kitchen = Kitchen()
    batcher: Batcher[int, int] = Batcher(kitchen.act, kitchen.serve)
    leaving, staying = (asyncio.ensure_future(batcher.ask(one)) for one in (1, 2))
    await asyncio.sleep(0)
    leaving.cancel()
    kitchen.door.set()
    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_who_asks_at_the_moment_when_the_last_call_ends_is_served() -> None:
    kitchen = Kitchen()
    batcher: Batcher[int, int] = Batcher(kitchen.act, kitchen.serve)
    kitchen.door.set()
    async with asyncio.timeout(20):
        assert await batcher.ask(await batcher.ask(1)) == 4
    assert kitchen.calls == [[1], [2]]


async def test_until_a_call_begins_its_work_callers_gather_for_it() -> None:
    kitchen = Kitchen()
    begins = asyncio.Event()

    async def act(work: Callable[[Any], Awaitable[Any]]) -> Any:
        await begins.wait()
        return await work(kitchen)

    batcher: Batcher[int, int] = Batcher(act, kitchen.serve)
    kitchen.door.set()
    asking = []
    for one in range(1, 4):
        asking.append(asyncio.ensure_future(batcher.ask(one)))
        await asyncio.sleep(0)
    begins.set()
    assert await asyncio.gather(*asking) == [2, 4, 6]
    assert kitchen.calls == [[1, 2, 3]]


async def test_a_call_that_cannot_begin_its_work_fails_for_all_who_wait() -> None:
    async def act(_work: Callable[[Any], Awaitable[Any]]) -> Any:
        raise StoreUnavailable("closed")

    batcher: Batcher[int, int] = Batcher(act, Kitchen().serve)
    answers = await asyncio.gather(batcher.ask(1), batcher.ask(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable]


async def test_a_work_that_is_done_again_from_its_start_serves_the_same_callers() -> None:
    kitchen = Kitchen()
    kitchen.door.set()

    async def act(work: Callable[[Any], Awaitable[Any]]) -> Any:
        await work(kitchen)
        return await work(kitchen)

    batcher: Batcher[int, int] = Batcher(act, kitchen.serve)
    assert await asyncio.gather(*(batcher.ask(one) for one in (1, 2))) == [2, 4]
    assert kitchen.calls == [[1, 2], [1, 2]]


async def test_while_what_was_done_is_being_kept_the_next_call_works() -> None:
    kitchen = Kitchen()
    batcher: Batcher[int, int] = Batcher(kitchen.act, kitchen.serve)
    kitchen.door.set()
    kitchen.till.clear()
    asking = []
    for one in range(1, 7):
        asking.append(asyncio.ensure_future(batcher.ask(one)))
        for _ in range(10):
            await asyncio.sleep(0)
    kitchen.till.set()
    assert await asyncio.gather(*asking) == [2, 4, 6, 8, 10, 12]
    assert kitchen.calls == [[1], [2], [3], [4], [5], [6]]
