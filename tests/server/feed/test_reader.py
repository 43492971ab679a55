"""However many ask, a node reads the feed as often; what it answers is whole, new, and as old as it says."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Executable, delete, insert, select, text, update

from keybearer.server import clock
from keybearer.server.feed import reader
from keybearer.server.feed.reader import FeedReader
from keybearer.server.store.database import Database, Transaction
from keybearer.server.store.faults import StoreUnavailable
from keybearer.server.store.tables import feed, feed_head, feed_pending
from keybearer.verify.lease import NOWHERE, Heard, Lease
from keybearer.verify.mirror import Mirror
from keybearer.wire.feed import Event, Position, SyncAnswer, SyncQuestion
from tests.server.store.trial import execute, opened
from tests.support.waiting import until

LEASE_S = 8.0
TELL = "INSERT INTO feed_pending (kind, subject, at) VALUES ('user.changed', 'user:7', 5)"


@dataclass(slots=True)
class Observed:
    """A database that counts the looks at it, and can be away; everything else is the real one's."""

    real: Database
    looks: int = 0
    is_away: bool = False
    answers_at_once: bool = False
    marks_changes: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()
        self.answers_at_once = self.real.answers_at_once

    async def one(self, statement: Executable, /, **values: Any) -> Any:
        await self._look()
        return await self.real.one(statement, **values)

    async def many(self, statement: Executable, /, **values: Any) -> Any:
        await self._look()
        return await self.real.many(statement, **values)

    def change_mark(self) -> int | None:
        return self.real.change_mark() if self.marks_changes else None  # else every look would not be one at the rows

    async def _look(self) -> None:
        self.looks += 1
        if self.is_away:
            raise StoreUnavailable("away")
        await self.gate.wait()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


@dataclass(slots=True)
class Told:
    """A follower that remembers."""

    events: list[Event] = field(default_factory=list)
    beginnings: list[int] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        self.events.append(event)

    def begin_at(self, seq: int) -> None:
        self.beginnings.append(seq)


@dataclass(slots=True)
class Bench:
    """A reader on a real database, under a BOOTTIME that can be moved on."""

    database: Observed
    slept: float = 0.0
    told: Told = field(default_factory=Told)
    reader: FeedReader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = FeedReader(self.database, self.boottime, LEASE_S)
        self.reader.add_follower(self.told)

    def boottime(self) -> float:
        return clock.boottime() + self.slept

    async def tell(self, subject: str = "user:7", times: int = 1) -> None:
        """Commit so many events in this process."""
        await self.database.real.transact(_tell, subject, times)

    @contextmanager
    def few_looks(self) -> Iterator[None]:
        """Hold the block to one look, its older page and its news, and to what polling adds meanwhile."""
        looks, began = self.database.looks, clock.boottime()
        yield
        polled = (clock.boottime() - began) / reader.READ_EVERY_S
        assert self.database.looks - looks <= 4 + 2 * polled

    async def ask(self, position: Position, wait_s: float = 0) -> SyncAnswer:
        return await self.reader.answer(SyncQuestion("n", position), wait_s)


async def _tell(tx: Transaction, subject: str, times: int) -> None:
    for _ in range(times):
        await tx.run(insert(feed_pending).values(kind="user.changed", subject=subject, at=5))


@pytest.fixture
async def bench(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(reader, "PATIENCE_S", 60.0)  # a store that is slow today is not away
    async with opened(database_url) as database:
        made = Bench(Observed(database))
        async with made.reader.following():
            yield made


async def test_of_a_thousand_verifiers_at_once_the_store_sees_one_j5(bench: Bench) -> None:
    await bench.tell(times=3)
    at_first = await bench.ask(NOWHERE)
    assert at_first.is_reset
    for slept in (0, 5):  # in the end all that is known is old: all of them need a new look, and share it
        bench.slept = slept
        with bench.few_looks():
            answers = await asyncio.gather(*(bench.ask(at_first.head) for _ in range(1_000)))
        assert {answer.head.seq for answer in answers} == {3}


async def test_a_thousand_that_wait_cost_a_look_each_100_ms_and_one_for_each_commit(bench: Bench) -> None:
    head = (await bench.ask(NOWHERE)).head
    waiting = [asyncio.create_task(bench.ask(head, 5)) for _ in range(1_000)]
    await asyncio.sleep(0.35)
    with bench.few_looks():
        await bench.tell("user:8")
        answers = await asyncio.gather(*waiting)
    assert {answer.events[0].subject for answer in answers} == {"user:8"}


async def test_who_waits_is_answered_by_what_another_process_did(bench: Bench, database_url: str) -> None:
    head = (await bench.ask(NOWHERE)).head
    waiting = asyncio.create_task(bench.ask(head, 5))
    await asyncio.sleep(0)
    await execute(database_url, TELL)
    answer = await waiting
    assert [(event.seq, event.subject) for event in answer.events] == [(1, "user:7")]
    assert await bench.database.real.many(select(feed_pending)) == []


async def test_who_waits_in_vain_is_told_that_nothing_happened(bench: Bench) -> None:
    head = (await bench.ask(NOWHERE)).head
    answer = await bench.ask(head, 0.2)
    assert (answer.head, answer.events, answer.is_reset) == (head, (), False)


async def test_what_this_process_committed_is_in_the_very_next_answer(bench: Bench) -> None:
    head = (await bench.ask(NOWHERE)).head
    for seq in range(1, 20):
        await bench.tell()
        assert (await bench.ask(head)).head.seq == seq
        assert len(bench.told.events) == seq


async def test_a_node_that_has_not_looked_since_sends_no_verifier_back(bench: Bench, database_url: str) -> None:
    """Behind a load balancer one node tells of an event, and the next question reaches another."""
    async with opened(database_url) as database:
        neighbour = FeedReader(database, lambda: 0.0, LEASE_S)  # by its clock every look is young
        await neighbour.answer(SyncQuestion("n", NOWHERE))
        await bench.tell()
        head = (await bench.ask(NOWHERE)).head
        answer = await neighbour.answer(SyncQuestion("n", head))
    assert (answer.head, answer.is_reset) == (head, False)


async def test_raw_sql_counts_at_the_next_fresh_look(bench: Bench, database_url: str) -> None:
    await bench.reader.fresh()
    for seq in range(1, 4):
        await execute(database_url, TELL)
        assert (await bench.reader.fresh()).seq == seq
    assert [event.seq for event in bench.told.events] == [1, 2, 3]


async def test_sqlite_reads_the_feed_again_only_after_a_commit_whoever_it_was(bench: Bench, database_url: str) -> None:
    bench.database.marks_changes = True
    await bench.reader.fresh()
    before = bench.database.looks
    await bench.reader.fresh()
    assert (bench.database.looks == before) == bench.database.real.answers_at_once
    await execute(database_url, TELL)
    assert (await bench.reader.fresh()).seq == 1
    await bench.tell()
    assert (await bench.reader.fresh()).seq == 2


async def test_a_look_that_began_before_the_call_does_not_answer_it(bench: Bench) -> None:
    bench.database.answers_at_once = False
    await bench.reader.fresh()
    bench.database.gate.clear()
    early = asyncio.create_task(bench.reader.fresh())
    await asyncio.sleep(0)
    late = [asyncio.create_task(bench.reader.fresh()) for _ in range(100)]
    await asyncio.sleep(0)
    before = bench.database.looks
    bench.database.gate.set()
    await asyncio.gather(early, *late)
    assert 1 <= bench.database.looks - before <= 3


async def test_while_nobody_asks_nothing_is_read(bench: Bench) -> None:
    await bench.ask(NOWHERE)
    bench.slept += 60
    await until(lambda: not bench.reader._asked.is_set())
    before = bench.database.looks
    await asyncio.sleep(3.5 * reader.READ_EVERY_S)
    assert bench.database.looks == before
    await bench.ask(NOWHERE)
    assert bench.database.looks > before


async def test_while_the_store_is_away_the_age_grows_until_nothing_is_answered(bench: Bench) -> None:
    began = bench.boottime()
    head = (await bench.ask(NOWHERE)).head
    bench.database.is_away = True
    for gone_by in (1.0, 5.0):
        bench.slept += gone_by - bench.slept
        age_s = (await bench.ask(head)).age_s
        assert gone_by <= age_s <= bench.boottime() - began
    bench.slept = LEASE_S + 1
    with pytest.raises(StoreUnavailable):
        await bench.ask(head)
    bench.database.is_away, began = False, bench.boottime()
    assert (await bench.ask(head)).age_s <= bench.boottime() - began


async def test_a_verifier_far_behind_reads_on_page_by_page_and_those_with_it_share_the_pages(bench: Bench) -> None:
    start = (await bench.ask(NOWHERE)).head
    await bench.tell(times=1_300)
    await bench.reader.fresh()
    lease = Lease(Mirror())
    lease.position = start
    assert lease.hear(await bench.reader.answer(lease.ask("a", clock.boottime()))) is Heard.BEHIND
    assert lease.position.seq == 1_000
    assert lease.hear(await bench.reader.answer(lease.ask("b", clock.boottime()))) is Heard.RENEWED
    with bench.few_looks():
        await asyncio.gather(*(bench.ask(start) for _ in range(1_000)))


async def test_another_lineage_begins_everything_anew(bench: Bench) -> None:
    await bench.tell(times=3)
    head = (await bench.ask(NOWHERE)).head
    await bench.database.real.transact(lambda tx: tx.run(update(feed_head).values(epoch="another")))
    bench.slept += 1
    answer = await bench.ask(head)
    assert (answer.is_reset, answer.head.epoch, answer.head.seq) == (True, "another", 3)
    assert bench.told.beginnings == [3, 3]


async def test_a_feed_that_was_wound_back_and_went_another_way_resets_who_knew_the_first(bench: Bench) -> None:
    await bench.tell(times=2)
    kept = (await bench.ask(NOWHERE)).head
    await bench.tell()
    lost = (await bench.ask(kept)).head
    await bench.database.real.transact(_wind_back_to, kept)
    await bench.tell("user:8")
    assert (await bench.ask(lost)).is_reset
    there = await bench.ask(kept)
    assert [event.subject for event in there.events] == ["user:8"]
    assert bench.told.beginnings == [2, 3]


async def _wind_back_to(tx: Transaction, kept: Position) -> None:
    await tx.run(delete(feed).where(feed.c.seq > kept.seq))
    await tx.run(update(feed_head).values(seq=kept.seq, hash=kept.hash))


async def test_what_was_pruned_resets_who_had_not_heard_of_it(bench: Bench) -> None:
    await bench.tell(times=2)
    position = (await bench.ask(NOWHERE)).head
    await bench.tell(times=5)
    await bench.database.real.transact(_prune_before, 5)
    bench.slept += 1
    assert (await bench.ask(position)).is_reset


async def _prune_before(tx: Transaction, seq: int) -> None:
    await tx.run(delete(feed).where(feed.c.seq < seq))
    await tx.run(update(feed_head).values(min_seq=seq))
    await tx.run(text("INSERT INTO feed_pending (kind, subject, at) VALUES ('user.changed', 'user:9', 5)"))
