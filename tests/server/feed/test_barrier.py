"""Barriers are passed while somebody asks, few for many, and prove nothing beyond their lineage."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest
from pydantic import ValidationError

from keybearer.server.feed.barrier import EVERY_S, Barrier
from keybearer.server.feed.proven import ProvenFeed
from keybearer.server.settings import Settings
from keybearer.server.store.database import Database, Row
from keybearer.server.store.faults import StoreUnavailable
from tests.support.clock import HandBoottime

LEASE_S = 8.0


@dataclass(slots=True)
class Quorum:
    """A store that lets barriers through while it is told to; what it is read for is its epoch."""

    epoch: str = "e1"
    read_epoch: str = "e1"
    is_there: bool = True
    passed: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_barrier(self) -> str:
        await self.gate.wait()
        if not self.is_there:
            raise StoreUnavailable("nobody confirms")
        self.passed += 1
        return self.epoch

    def change_mark(self) -> None:
        return None  # it does not say whether anything has changed

    async def one(self, *_: object) -> Row:
        return {"epoch": self.read_epoch, "seq": 7, "hash": b"", "has_stray": False}


@pytest.fixture
def quorum() -> Quorum:
    made = Quorum()
    made.gate.set()
    return made


def barrier_of(quorum: Quorum, boottime: HandBoottime) -> Barrier:
    return Barrier(cast("Database", quorum), boottime.now, LEASE_S)


async def test_many_who_ask_at_once_share_one(quorum: Quorum) -> None:
    barrier = barrier_of(quorum, HandBoottime())
    quorum.gate.clear()
    asking = [asyncio.create_task(barrier.passed()) for _ in range(50)]
    await asyncio.sleep(0)
    quorum.gate.set()
    assert {proof.epoch for proof in await asyncio.gather(*asking)} == {"e1"}
    assert quorum.passed == 1


async def test_while_the_last_one_is_young_none_is_passed(quorum: Quorum) -> None:
    boottime = HandBoottime()
    barrier = barrier_of(quorum, boottime)
    await barrier.keep_up()
    boottime.advance(EVERY_S)
    await barrier.keep_up()
    assert (quorum.passed, barrier.last.at) == (1, 1_000.0)
    boottime.advance(1.0)
    await barrier.keep_up()
    assert (quorum.passed, barrier.last.at) == (2, 1_001.25)


async def test_a_barrier_counts_from_when_it_began(quorum: Quorum) -> None:
    boottime = HandBoottime()
    barrier = barrier_of(quorum, boottime)
    quorum.gate.clear()
    asking = asyncio.create_task(barrier.passed())
    await asyncio.sleep(0.05)  # by now it has begun
    boottime.advance(0.5)
    quorum.gate.set()
    assert (await asking).at == 1_000.0


async def test_without_the_quorum_the_last_proof_serves_for_a_lease(quorum: Quorum) -> None:
    boottime = HandBoottime()
    barrier = barrier_of(quorum, boottime)
    await barrier.keep_up()
    quorum.is_there = False
    boottime.advance(LEASE_S)
    await barrier.keep_up()
    assert barrier.last.at == 1_000.0
    boottime.advance(0.01)
    with pytest.raises(StoreUnavailable):
        await barrier.keep_up()
    with pytest.raises(StoreUnavailable):
        await barrier.passed()


async def test_what_another_store_says_is_not_proved(quorum: Quorum) -> None:
    boottime = HandBoottime()
    proven = ProvenFeed(cast("Database", quorum), boottime.now, barrier_of(quorum, boottime))
    await proven.keep_up()
    boottime.advance(0.1)
    assert (await proven.read_head())[1] == 1_000.0
    quorum.read_epoch = "e2"
    with pytest.raises(StoreUnavailable, match="in force"):
        await proven.read_head()


def test_a_barrier_needs_a_postgresql() -> None:
    with pytest.raises(ValidationError, match="needs a PostgreSQL"):
        Settings(barrier="on")
