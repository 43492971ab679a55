"""An API counts calls itself, and asks a node now and then; without one it lets few through, which it counts later."""

import asyncio
import types
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from keybearer import Principal, RateLimited, SyncVerifier, Unavailable, Verifier
from keybearer.sdk import driver
from keybearer.sdk.frameworks.answers import limit_headers
from tests.sdk.conftest import HandClocks
from tests.sdk.fake_node import KEY, FakeNode

COUNT = "/verifier/count"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a machine that stands still: an answer that is given up takes the calls with it that it granted."""
    monkeypatch.setattr(driver, "TIMEOUT_S", 60.0)


async def let_through(verifier: Verifier, principal: Principal) -> int:
    """Call until it cannot be known whether one call more may be made; return how many were."""
    calls = 0
    while True:
        try:
            await verifier.count(principal)
        except Unavailable:
            return calls
        calls += 1


def eagerly(loop: asyncio.AbstractEventLoop, work: Any, **about: Any) -> asyncio.Task[Any]:
    """Make a task that begins at once, as `asyncio.eager_task_factory` does since Python 3.12."""
    try:
        first = work.send(None)
    except StopIteration as ended:
        first, work = None, returning(ended.value)
    return asyncio.Task(going_on(work, first), loop=loop, **about)


async def returning(value: object) -> object:
    return value


@types.coroutine
def going_on(work: Any, waited_for: Any) -> Generator[Any, Any, Any]:
    while True:
        try:
            yield waited_for
        except BaseException as error:  # noqa: BLE001 - whatever is thrown into a task goes on into its work
            step = partial(work.throw, error)
        else:
            step = partial(work.send, None)
        try:
            waited_for = step()
        except StopIteration as ended:
            return ended.value


async def test_where_tasks_begin_at_once_each_call_is_counted_too(node: FakeNode) -> None:
    async with Verifier(node.url, key=KEY) as verifier:
        principal = await verifier.verify(node.issue())
        asyncio.get_running_loop().set_task_factory(eagerly)
        for _ in range(100):
            assert (await verifier.count(principal)).limit == 200


async def test_most_calls_ask_nobody(node: FakeNode) -> None:
    async with Verifier(node.url, key=KEY) as verifier:
        principal = await verifier.verify(node.issue())
        for _ in range(100):
            assert (await verifier.count(principal)).limit == 200
    assert 1 < node.count(COUNT) <= 40


async def test_who_has_no_call_left_is_refused_without_asking_again(node: FakeNode) -> None:
    node.calls = 3
    async with Verifier(node.url, key=KEY) as verifier:
        principal = await verifier.verify(node.issue())
        for _ in range(3):
            await verifier.count(principal)
        with pytest.raises(RateLimited) as caught:
            await verifier.count(principal)
        assert (caught.value.limit, caught.value.retry_after_s) == (200, 30)
        asked = node.count(COUNT)
        with pytest.raises(RateLimited):
            await verifier.count(principal)
        assert node.count(COUNT) == asked


async def test_many_at_once_are_asked_for_together(node: FakeNode) -> None:
    node.calls = 50
    async with Verifier(node.url, key=KEY) as verifier:
        principal = await verifier.verify(node.issue())
        outcomes = await asyncio.gather(*(verifier.count(principal) for _ in range(80)), return_exceptions=True)
    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 50
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, Exception)} == {RateLimited}
    assert node.count(COUNT) < 20


@pytest.mark.parametrize("fault", ["broken", "garbled", "replaying", "no key"])
async def test_without_an_answer_a_few_calls_are_lent_and_no_more_before_they_are_paid_back(
    node: FakeNode, fault: str
) -> None:
    node.lease_s = 3_600.0
    async with Verifier(node.url, key=KEY) as verifier:
        principal = await verifier.verify(node.issue())
        await verifier.count(principal)  # from here on it knows the limit
        node.fault = fault
        assert 10 <= await let_through(verifier, principal) <= 21  # a twentieth of 200, and what was in hand
        node.fault, node.calls = None, 11
        await verifier.count(principal)
        with pytest.raises(RateLimited):  # ten of the eleven had been made already
            await verifier.count(principal)


async def test_nothing_is_lent_when_the_lease_is_out(node: FakeNode, clocks: HandClocks) -> None:
    async with Verifier(node.url, key=KEY, surroundings=clocks.surroundings) as verifier:
        principal = await verifier.verify(node.issue())
        node.fault = "broken"
        clocks.slept_s += 60
        assert await let_through(verifier, principal) <= 1  # what was in hand


async def test_a_node_that_is_too_old_to_count_keeps_nobody_out(node: FakeNode) -> None:
    node.fault = "old"
    async with Verifier(node.url, key=KEY) as verifier:
        principal = await verifier.verify(node.issue())
        lefts = [await verifier.count(principal) for _ in range(10)]
    assert [limit_headers(left) for left in lefts] == [{}] * 10


def test_threads_count_no_call_twice(node: FakeNode) -> None:
    node.calls = 60
    with SyncVerifier(node.url, key=KEY) as verifier, ThreadPoolExecutor(8) as threads:
        principal = verifier.verify(node.issue())

        def one(_: int) -> bool:
            try:
                verifier.count(principal)
            except RateLimited:
                return False
            return True

        assert sum(threads.map(one, range(120))) == 60
