"""The feed: every event numbered once, chained, in the order of the commits, and told."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from keybearer.server.store.database import Database, Transaction
from tests.server.store.trial import (
    ANNOUNCE,
    add,
    add_and_announce,
    assert_chained,
    create_tables,
    events,
    execute,
    names,
    opened,
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await create_tables(database_url)
    async with opened(database_url) as running:
        yield running


async def test_listeners_know_a_position_before_the_work_is_acknowledged(database: Database) -> None:
    positions: list[tuple[str, int]] = []
    database.on_commit(positions.append)
    epoch, seq = await database.position()
    await database.transact(add, "silent")
    assert positions == []
    await database.transact(add_and_announce, "a")
    assert positions == [(epoch, seq + 1)]
    assert await database.position() == (epoch, seq + 1)


async def test_an_unsynced_work_is_kept_and_tells_nobody_of_what_might_still_be_lost(database: Database) -> None:
    before = await database.position()
    await database.transact_unsynced(add_and_announce, "unsynced")
    assert (await names(database), await database.position()) == (["unsynced"], before)
    await database.transact(add, "synced")
    assert (await database.position())[1] == before[1] + 1


async def test_a_listener_that_fails_does_not_undo_the_acknowledgement(database: Database) -> None:
    def fail(_position: tuple[str, int]) -> None:
        raise LookupError

    database.on_commit(fail)
    assert await database.transact(add_and_announce, "a") == "a"
    assert await database.transact(add_and_announce, "b") == "b"
    assert await names(database) == ["a", "b"]


async def test_events_that_raw_sql_left_are_numbered_on_demand(database: Database, database_url: str) -> None:
    epoch, before = await database.position()
    await execute(database_url, "INSERT INTO feed_pending (kind, subject, at) VALUES ('user.changed', 'user:é', 5)")
    assert await database.position() == (epoch, before)
    assert await database.number_stray_events() == (epoch, before + 1)
    rows = await events(database)
    assert [(row["seq"], row["subject"]) for row in rows][-1] == (before + 1, "user:é")
    assert_chained(rows)


async def test_events_of_one_work_keep_their_order(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        for number in range(20):
            await tx.run(ANNOUNCE, subject=f"{number:02}", at=number)

    _, before = await database.position()
    await database.transact(work)
    told = await events(database, since=before)
    assert [event["subject"] for event in told] == [f"{number:02}" for number in range(20)]
    assert_chained(told)


async def test_a_poller_misses_nothing_while_a_slow_transaction_is_open(database: Database) -> None:
    """With a serial number given at the insert, the slow work's event would have slipped in behind the poller."""
    announced, may_commit = asyncio.Event(), asyncio.Event()
    polled: list[str] = []
    _, position = await database.position()

    async def slow(tx: Transaction) -> None:
        await tx.run(ANNOUNCE, subject="slow", at=1)
        announced.set()
        await may_commit.wait()

    async def poll() -> None:
        nonlocal position
        for event in await events(database, since=position):
            polled.append(event["subject"])
            position = event["seq"]

    slow_work = asyncio.create_task(database.transact(slow))
    await announced.wait()
    quick_work = asyncio.create_task(database.transact(add_and_announce, "quick"))
    await asyncio.wait([quick_work], timeout=0.2)
    await poll()
    may_commit.set()
    await asyncio.gather(slow_work, quick_work)
    await poll()
    assert sorted(polled) == ["quick", "slow"]
    assert_chained(await events(database))


async def test_a_work_that_is_undone_leaves_no_gap(database: Database) -> None:
    async def work(tx: Transaction, number: int) -> None:
        await tx.run(ANNOUNCE, subject=str(number), at=1)
        if number % 2:
            raise LookupError

    _, before = await database.position()
    await asyncio.gather(*(database.transact(work, number) for number in range(60)), return_exceptions=True)
    told = await events(database, since=before)
    assert [event["seq"] for event in told] == list(range(before + 1, before + 31))
    assert_chained(told)
