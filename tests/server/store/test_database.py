"""What both databases promise to every work."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert, text

from keybearer.server.store.database import Database, Reader, Transaction, open_database
from keybearer.server.store.faults import Conflict, StoreUnavailable
from tests.server.store.trial import (
    ADD,
    HOW_MANY,
    NAMED,
    TAKE,
    add,
    add_and_announce,
    add_and_raise,
    assert_chained,
    create_tables,
    events,
    items,
    names,
    numbered,
    opened,
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await create_tables(database_url)
    async with opened(database_url) as running:
        yield running


async def test_returning_commits_and_gives_what_was_returned(database: Database) -> None:
    assert await database.transact(add, "a", count=3) == "a"
    assert await database.one(NAMED, name="a") == {
        "name": "a",
        "count": 3,
        "digest": None,
        "used_at": None,
        "parent": None,
    }


async def test_raising_rolls_back_the_work_and_its_events(database: Database) -> None:
    head = await database.position()
    with pytest.raises(LookupError, match="a"):
        await database.transact(add_and_raise, "a")
    assert await names(database) == []
    assert await database.position() == head


async def test_of_many_works_at_once_only_those_that_raise_are_undone(database: Database) -> None:
    _, before = await database.position()
    works = [
        database.transact(add_and_raise if number % 3 == 0 else add_and_announce, f"{number:03}")
        for number in range(200)
    ]
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    for number, outcome in enumerate(outcomes):
        if number % 3 == 0:
            assert isinstance(outcome, LookupError)
        else:
            assert outcome == f"{number:03}"
    kept = [f"{number:03}" for number in range(200) if number % 3]
    assert await names(database) == kept
    told = await events(database, since=before)
    assert sorted(event["subject"] for event in told) == kept
    assert_chained(told)


async def test_of_fifty_takers_exactly_one_takes(database: Database) -> None:
    async def take(tx: Transaction, now: int) -> bool:
        return await tx.one(TAKE, name="code", now=now) is not None

    await database.transact(add, "code")
    taken = await asyncio.gather(*(database.transact(take, now) for now in range(50)))
    assert sum(taken) == 1
    row = await database.one(NAMED, name="code")
    assert row is not None
    assert row["used_at"] == taken.index(True)


async def test_a_waiter_who_is_cancelled_harms_nobody(database: Database) -> None:
    tasks = [asyncio.create_task(database.transact(add, f"{number:03}")) for number in range(100)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    kept = set(await names(database))
    assert kept >= {f"{number:03}" for number in range(1, 100, 2)}
    assert await database.transact(add, "afterwards") == "afterwards"


async def test_a_work_whose_waiter_is_cancelled_in_the_middle_is_kept_whole(
    database: Database, database_url: str
) -> None:
    began, may_go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx: Transaction) -> None:
        await add(tx, "first half")
        began.set()
        await may_go_on.wait()
        await add(tx, "second half")

    waiter = asyncio.create_task(database.transact(slow))
    await began.wait()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    may_go_on.set()
    await database.transact(add, "the next")
    await database.close()
    async with opened(database_url) as reopened:
        assert await names(reopened) == ["first half", "second half", "the next"]


async def test_a_work_that_swallows_a_conflict_is_not_kept(database: Database) -> None:
    async def stubborn(tx: Transaction) -> str:
        await add(tx, "mine")
        with pytest.raises(Conflict):
            await add(tx, "taken")
        return "done"

    await database.transact(add, "taken")
    with pytest.raises(Conflict):
        await database.transact(stubborn)
    assert await names(database) == ["taken"]


async def test_after_a_conflict_a_transaction_takes_no_more_statements(database: Database) -> None:
    async def stubborn(tx: Transaction) -> None:
        with pytest.raises(Conflict):
            await add(tx, "minus", count=-1)
        await add(tx, "plus")

    with pytest.raises(Conflict, match="ck_trial_items_count"):
        await database.transact(stubborn)
    assert await names(database) == []


async def test_a_transaction_that_is_over_takes_nothing_into_another(database: Database) -> None:
    kept: list[Transaction] = []

    async def keep_hold(tx: Transaction) -> None:
        kept.append(tx)

    async def use_the_other(tx: Transaction) -> None:
        await add(tx, "mine")
        await add(kept[0], "not mine")

    await database.transact(keep_hold)
    with pytest.raises(RuntimeError, match="over"):
        await database.transact(use_the_other)
    assert await names(database) == []


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        pytest.param({"name": "a", "count": -1}, "ck_trial_items_count", id="check"),
        pytest.param({"name": "a", "count": None}, "trial_items.count", id="not null"),
    ],
)
async def test_a_conflict_names_the_broken_rule(database: Database, values: dict[str, object], constraint: str) -> None:
    async def work(tx: Transaction) -> None:
        await tx.run(ADD, **values)

    with pytest.raises(Conflict) as raised:
        await database.transact(work)
    assert raised.value.constraint == constraint


async def test_a_uniqueness_rule_of_our_tables_has_the_same_name_in_both(database: Database) -> None:
    user = text(
        "INSERT INTO users (email, email_key, name, password_hash, created_at, updated_at)"
        " VALUES ('', 'k', '', '', 0, 0)"
    )

    async def work(tx: Transaction) -> None:
        await tx.run(user)
        await tx.run(user)

    with pytest.raises(Conflict) as raised:
        await database.transact(work)
    assert raised.value.constraint == "uq_users_email_key"


async def test_a_missing_parent_is_a_conflict(database: Database) -> None:
    orphan = insert(items).values(name="a", count=1, parent="nobody")

    async def work(tx: Transaction) -> None:
        await tx.run(orphan)

    with pytest.raises(Conflict):
        await database.transact(work)


async def test_run_tells_the_rows_it_touched(database: Database) -> None:
    every = items.update().values(count=items.c.count + 1)

    async def work(tx: Transaction) -> list[int]:
        added = [await tx.run(ADD, name=name, count=0) for name in "ab"]
        return [*added, await tx.run(every), await tx.run(items.delete().where(items.c.name == "z"))]

    assert await database.transact(work) == [1, 1, 2, 0]


async def test_the_database_gives_numbers_to_rows_without_one(database: Database) -> None:
    bare = insert(numbered)
    returning = insert(numbered).returning(numbered.c.number)

    async def work(tx: Transaction) -> object:
        await tx.run(bare, word="first")
        return await tx.one(returning, word="second")

    assert await database.transact(work) == {"number": 2}


async def test_one_refuses_two_rows(database: Database) -> None:
    await database.transact(add, "a")
    await database.transact(add, "b")
    with pytest.raises(ValueError, match="found 2"):
        await database.one(items.select())


async def test_a_view_sees_one_moment_whatever_is_committed_meanwhile(database: Database) -> None:
    async def twice(reader: Reader) -> tuple[list[str], list[str]]:
        before = await names(reader)
        await database.transact(add, "meanwhile")
        assert await names(database) == ["a", "meanwhile"]  # others are not held back to that moment
        return before, await names(reader)

    await database.transact(add, "a")
    assert await database.view(twice) == (["a"], ["a"])
    assert await database.view(names) == ["a", "meanwhile"]


async def test_a_view_cannot_write(database: Database) -> None:
    async def sneak(reader: Reader) -> None:
        await reader.many(ADD, name="a", count=1)

    with pytest.raises(StoreUnavailable):
        await database.view(sneak)
    assert await names(database) == []


async def test_a_closed_database_refuses_works_and_finishes_what_it_has(database: Database) -> None:
    works = [asyncio.create_task(database.transact(add, f"{number:02}")) for number in range(30)]
    await asyncio.sleep(0)
    await database.close()
    assert len(await asyncio.gather(*works)) == 30
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.transact(add, "late")
    with pytest.raises(StoreUnavailable):
        await database.one(HOW_MANY)


async def test_rows_are_counted_while_two_open_databases_write(database: Database, database_url: str) -> None:
    async with opened(database_url) as other:
        works = [(database, other)[number % 2].transact(add_and_announce, f"{number:03}") for number in range(200)]
        await asyncio.gather(*works)
        assert await database.one(HOW_MANY) == await other.one(HOW_MANY) == {"rows": 200}
        assert await database.position() == await other.position()
        assert_chained(await events(other))


async def test_an_address_that_leads_nowhere_is_told_at_once(tmp_path: object) -> None:
    for url in (f"sqlite:///{tmp_path}/missing.db", f"postgresql://postgres@/x?host={tmp_path}"):
        with pytest.raises(StoreUnavailable):
            await open_database(url)
    with pytest.raises(ValueError, match="must start with"):
        await open_database("mysql://x")
