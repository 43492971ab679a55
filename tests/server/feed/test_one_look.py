"""Requests of one turn of the event loop share a look at the feed; no request is answered by a look before it."""

import asyncio
from dataclasses import dataclass

from keybearer.server.feed.one_look import OneLook


@dataclass(slots=True)
class Store:
    """What is looked at; counts the looks."""

    is_fresh: bool = True
    looks: int = 0

    def look(self) -> bool:
        self.looks += 1
        return self.is_fresh


async def answered(one_look: OneLook) -> bool:
    """Handle a request, as its task does."""
    return one_look.knows_all()


async def test_one_look_does_for_all_requests_of_a_turn() -> None:
    store = Store()
    one_look = OneLook(store.look)
    for turns in range(1, 4):
        assert await asyncio.gather(*(answered(one_look) for _ in range(100))) == [True] * 100
        assert store.looks == turns


async def test_a_request_that_is_read_after_a_look_has_a_look_of_its_own() -> None:
    store = Store()
    one_look = OneLook(store.look)
    assert one_look.knows_all()
    store.is_fresh = False  # somebody commits, and it is acknowledged
    assert not await asyncio.create_task(answered(one_look))  # as uvicorn begins a request that it has read


async def test_that_perhaps_not_all_is_known_is_not_remembered() -> None:
    store = Store(is_fresh=False)
    one_look = OneLook(store.look)
    assert not one_look.knows_all()
    store.is_fresh = True
    assert one_look.knows_all()
