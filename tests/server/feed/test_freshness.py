"""Requests that are answered out of memory hear whether it has all that was committed before they were sent."""

import asyncio
from dataclasses import dataclass, field

import pytest

from keybearer.server.feed.freshness import Freshness
from keybearer.server.store.faults import StoreUnavailable


@dataclass(slots=True)
class Feed:
    """A reader whose looks end when the test says so."""

    tells_at_once: bool = False
    begun: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Exception | None = None

    async def fresh(self) -> None:
        self.begun += 1
        await self.ended.wait()
        if self.fault:
            raise self.fault

    def is_fresh(self) -> bool:
        return self.fault is None


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_where_the_store_answers_at_once_so_does_this() -> None:
    freshness = Freshness(Feed(tells_at_once=True))  # type: ignore[arg-type] # all of it that is used
    assert (freshness.takes_time, freshness.knows_all()) == (False, True)


async def test_elsewhere_all_requests_of_a_turn_share_a_look_that_begins_after_them() -> None:
    feed, told = Feed(), list[bool]()
    freshness = Freshness(feed)  # type: ignore[arg-type] # all of it that is used
    for _ in range(3):
        freshness.when_known(told.append)
    assert feed.begun == 0
    await turns()
    assert (feed.begun, told) == (1, [])
    freshness.when_known(told.append)  # was read after that look began: it has one of its own
    await turns()
    assert feed.begun == 2
    feed.ended.set()
    await turns()
    assert told == [True] * 4


@pytest.mark.parametrize("fault", [StoreUnavailable("the store is away"), TypeError("a mistake of ours")])
async def test_after_a_look_that_failed_nobody_is_left_waiting(fault: Exception) -> None:
    feed, told = Feed(fault=fault), list[bool]()
    feed.ended.set()
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the mistake is told of there
    Freshness(feed).when_known(told.append)  # type: ignore[arg-type] # all of it that is used
    await turns()
    assert told == [False]


async def test_one_who_fails_does_not_keep_the_others_waiting() -> None:
    feed, told = Feed(), list[bool]()
    feed.ended.set()
    failed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context["exception"]))
    freshness = Freshness(feed)  # type: ignore[arg-type] # all of it that is used
    freshness.when_known(lambda is_known: [][is_known])
    freshness.when_known(told.append)
    await turns()
    assert told == [True]
    assert isinstance(failed[0], IndexError)
