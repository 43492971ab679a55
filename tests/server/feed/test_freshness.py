"""Requests that are answered out of memory hear whether it has all that was committed before they were sent."""

import asyncio

import pytest

from keybearer.server.feed.freshness import Freshness
from keybearer.server.shared_runs import SharedRuns
from keybearer.server.store.faults import StoreUnavailable


class Feed:
    """A reader whose looks end when the test says so."""

    def __init__(self, *, tells_at_once: bool = False, fault: Exception | None = None) -> None:
        self.tells_at_once = tells_at_once
        self.begun = 0
        self.ends = [asyncio.Event(), asyncio.Event()]  # of the first look, and of the second
        self._fault = fault
        self._looks = SharedRuns(self._look, "look")

    def coming_look(self) -> asyncio.Task[None]:
        return self._looks.coming()

    def is_fresh(self) -> bool:
        return True

    async def _look(self) -> None:
        self.begun += 1
        await self.ends[self.begun - 1].wait()
        if self._fault:
            raise self._fault


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_where_the_store_answers_at_once_so_does_this() -> None:
    freshness = Freshness(Feed(tells_at_once=True))  # type: ignore[arg-type] # all of it that is used
    assert (freshness.takes_time, freshness.knows_all()) == (False, True)


async def test_elsewhere_all_who_ask_before_a_look_begins_share_it_and_who_asks_later_waits_for_the_next() -> None:
    feed, told = Feed(), list[bool]()
    freshness = Freshness(feed)  # type: ignore[arg-type] # all of it that is used
    for _ in range(3):
        freshness.when_known(told.append)
    assert feed.begun == 0
    await turns()
    assert (feed.begun, told) == (1, [])
    later = list[bool]()
    freshness.when_known(later.append)
    await turns()
    assert feed.begun == 1, "two looks at once"
    feed.ends[0].set()
    await turns()
    assert (told, later) == ([True] * 3, []), "the later one was told by a look that began before it asked"
    feed.ends[1].set()
    await turns()
    assert (feed.begun, later) == (2, [True])


@pytest.mark.parametrize("fault", [StoreUnavailable("the store is away"), TypeError("a mistake of ours")])
async def test_after_a_look_that_failed_nobody_is_left_waiting(fault: Exception) -> None:
    feed, told = Feed(fault=fault), list[bool]()
    feed.ends[0].set()
    Freshness(feed).when_known(told.append)  # type: ignore[arg-type] # all of it that is used
    await turns()
    assert told == [False]


async def test_one_who_fails_does_not_keep_the_others_waiting() -> None:
    feed, told = Feed(), list[bool]()
    feed.ends[0].set()
    failed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context["exception"]))
    freshness = Freshness(feed)  # type: ignore[arg-type] # all of it that is used
    freshness.when_known(lambda is_known: [][is_known])
    freshness.when_known(told.append)
    await turns()
    assert told == [True]
    assert isinstance(failed[0], IndexError)
