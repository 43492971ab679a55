"""A request that waits for a look at the feed holds its connection up; nothing is lost or answered twice by that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from keybearer.server.connections.hitting import HittingProtocol
from keybearer.server.feed.freshness import Told
from keybearer.server.http.hits import HITS, Hits
from keybearer.wire.activity import CALL
from tests.support.activity import recorded
from tests.support.clock import HandClock
from tests.support.databases import copy_sqlite
from tests.support.hits import Doors, doors_of
from tests.support.sockets import Front, on_a_socket, read_answer
from tests.support.waiting import until

HEALTHZ = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(slots=True)
class SlowStore:
    """A house at whose looks those who ask wait until the test says so."""

    doors: Doors
    front: Front
    waiting: list[Told] = field(default_factory=list)
    takes_time: bool = True

    async def somebody_waits(self) -> None:
        await until(lambda: bool(self.waiting))

    async def something_is_held_back(self) -> None:
        [connection] = self.front.state.connections
        assert isinstance(connection, HittingProtocol)
        await until(lambda: connection.flow.read_paused)

    def when_known(self, told: Told) -> None:
        self.waiting.append(told)

    def look_made(self, *, is_known: bool) -> None:
        for told in self.waiting:
            told(is_known)
        self.waiting.clear()


@pytest.fixture
async def slow(migrated_sqlite: Path, tmp_path: Path, clock: HandClock) -> AsyncIterator[SlowStore]:
    """Have a token that the node knows, and a store whose answers take their time."""
    url = copy_sqlite(migrated_sqlite, tmp_path / "keybearer.db")
    async with doors_of(url, tmp_path, clock) as doors:
        await doors.hit(doors.introspect)
        async with slow_store(doors) as slow:
            yield slow


@asynccontextmanager
async def slow_store(doors: Doors, *, patience_s: float = 20, idle_s: float = 75) -> AsyncIterator[SlowStore]:
    hits: Hits = doors.stage.house.state[HITS]
    freshness = hits.freshness
    async with on_a_socket(doors.stage.house, patience_s, idle_s) as front:
        slow = SlowStore(doors, front)
        hits.freshness = slow  # type: ignore[assignment] # all of it that is used
        try:
            yield slow
        finally:
            hits.freshness = freshness


@asynccontextmanager
async def connection_to(front: Front) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    try:
        async with asyncio.timeout(20):
            yield reader, writer
    finally:
        writer.close()


async def test_what_comes_behind_a_request_that_waits_is_answered_after_it(slow: SlowStore) -> None:
    async with connection_to(slow.front) as (reader, writer):
        answers = []
        for _ in range(2):
            writer.write(slow.doors.introspect)
            await slow.somebody_waits()
            writer.write(HEALTHZ + HEALTHZ[:20])
            await slow.something_is_held_back()
            slow.look_made(is_known=True)
            writer.write(HEALTHZ[20:])
            answers += [await read_answer(reader) for _ in range(3)]
    assert [b'"active":true' in answer.body for answer in answers] == [True, False, False] * 2
    assert slow.front.asked == 4


async def test_one_that_came_in_part_is_read_on_after_the_one_that_waits(slow: SlowStore) -> None:
    question = slow.doors.introspect
    async with connection_to(slow.front) as (reader, writer):
        writer.write(question)
        await slow.somebody_waits()
        slow.look_made(is_known=True)
        assert (await read_answer(reader)).status == 200
        writer.write(question)
        await slow.somebody_waits()
        writer.write(question[:20])
        await slow.something_is_held_back()
        slow.look_made(is_known=True)
        assert (await read_answer(reader)).status == 200
        assert slow.front.asked == 0
        writer.write(question[20:])
        assert (await read_answer(reader)).status == 200


async def test_where_the_look_failed_the_application_is_asked(slow: SlowStore) -> None:
    async with connection_to(slow.front) as (reader, writer):
        writer.write(slow.doors.forward)
        await slow.somebody_waits()
        slow.look_made(is_known=False)
        assert (await read_answer(reader)).status == 200
    assert slow.front.asked == 1


async def test_whoever_has_gone_meanwhile_has_made_no_call(slow: SlowStore) -> None:
    node = slow.doors.stage.house.node
    await node.call_records.flush()
    before = len(await recorded(node.database, CALL))
    async with connection_to(slow.front) as (_, writer):
        writer.write(slow.doors.forward)
        await slow.somebody_waits()
    await until(lambda: not slow.front.state.connections)
    slow.look_made(is_known=True)
    await node.call_records.flush()
    assert len(await recorded(node.database, CALL)) == before


async def test_a_server_that_stops_answers_what_waits(slow: SlowStore) -> None:
    async with connection_to(slow.front) as (reader, writer):
        writer.write(slow.doors.forward)
        await slow.somebody_waits()
        slow.front.shut_down()
        answer = await read_answer(reader)
        assert await reader.read() == b""  # and then the connection ends
    slow.look_made(is_known=True)
    assert (answer.status, answer.header("connection"), slow.front.asked) == (200, "close", 1)


@pytest.mark.parametrize("question", ["introspect", "forward"])
async def test_a_connection_whose_request_waits_is_neither_idle_nor_slow(slow: SlowStore, question: str) -> None:
    asked: bytes = getattr(slow.doors, question)
    async with (
        slow_store(slow.doors, patience_s=0.1, idle_s=0.1) as hasty,
        connection_to(hasty.front) as (reader, writer),
    ):
        for _ in range(2):  # the first is waited for since the connection began, the second since the first
            writer.write(asked)
            await hasty.somebody_waits()
            await asyncio.sleep(0.35)
            hasty.look_made(is_known=True)
            assert (await read_answer(reader)).status == 200
