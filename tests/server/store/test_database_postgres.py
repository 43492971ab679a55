"""What PostgreSQL alone can do to us: a COMMIT in doubt, deadlocks, connections that go away, a pooler."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import bindparam, text, update

from keybearer.server.store import postgres, postgres_connections
from keybearer.server.store.database import Database, Reader, Transaction
from keybearer.server.store.faults import OutcomeUnknown, StoreUnavailable
from tests.server.store.trial import (
    ALL,
    OTHERS,
    add,
    add_and_announce,
    assert_chained,
    end_connections,
    events,
    execute,
    items,
    names,
    opened,
)

ADD_ONE = update(items).where(items.c.name == bindparam("which")).values(count=items.c.count + 1)
AT_COMMIT = """
CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what}; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON trial_items DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.name = 'trap') EXECUTE FUNCTION at_commit();
"""
STRAY = "INSERT INTO feed_pending (kind, subject, at) SELECT 'raw', n, n FROM generate_series(1, 5) n"


async def until_somebody_commits(url: str) -> None:
    connection = await asyncpg.connect(url)
    is_so = f"SELECT count(*) {OTHERS} AND query = 'COMMIT' AND state = 'active'"
    while not await connection.fetchval(is_so):  # noqa: ASYNC110 - the database has no event for it
        await asyncio.sleep(0.01)
    await connection.close()


async def test_only_an_unsynced_work_does_not_wait_for_disk_and_standby(database: Database) -> None:
    async def level(tx: Transaction) -> str:
        row = await tx.one(text("SHOW synchronous_commit"))
        assert row is not None
        level: str = row["synchronous_commit"]
        return level

    assert [await database.transact_unsynced(level), await database.transact(level)] == ["off", "on"]


async def test_a_warning_on_commit_means_unknown(database: Database, url: str) -> None:
    """A standby that did not confirm is told by a warning, and COMMIT "succeeds"."""
    await execute(url, AT_COMMIT.format(what="RAISE WARNING 'canceling wait for synchronous replication'"))
    with pytest.raises(OutcomeUnknown, match="canceling wait"):
        await database.transact(add, "trap")
    assert await database.transact(add, "next") == "next"


async def test_a_connection_lost_during_commit_means_unknown(database: Database, url: str) -> None:
    await execute(url, AT_COMMIT.format(what="PERFORM pg_sleep(20)"))
    doubtful = asyncio.create_task(database.transact(add, "trap"))
    await until_somebody_commits(url)
    await end_connections(url, "AND query = 'COMMIT'")
    with pytest.raises(OutcomeUnknown):
        await doubtful
    assert await database.transact(add, "next") == "next"


async def test_a_rule_that_speaks_only_at_commit_is_not_in_doubt(database: Database, url: str) -> None:
    await execute(url, AT_COMMIT.format(what="RAISE unique_violation USING CONSTRAINT = 'late_rule'"))
    with pytest.raises(Exception, match="late_rule") as raised:
        await database.transact(add, "trap")
    assert not isinstance(raised.value, StoreUnavailable)
    assert await names(database) == []


async def test_a_view_that_is_refused_leaves_its_connection_to_the_next(database: Database) -> None:
    """Anybody may ask for what is not there: to connect anew takes as long as many look-ups."""

    async def refuse(reader: Reader) -> None:
        row = await reader.one(text("SELECT pg_backend_pid() AS pid"))
        assert row is not None
        connections.add(row["pid"])
        raise LookupError

    connections: set[int] = set()
    for _ in range(3):
        with pytest.raises(LookupError):
            await database.view(refuse)
    assert len(connections) == 1


async def test_a_cancelled_caller_does_not_cancel_the_commit(database: Database, url: str) -> None:
    await execute(url, AT_COMMIT.format(what="PERFORM pg_sleep(3)"))
    caller = asyncio.create_task(database.transact(add, "trap"))
    await until_somebody_commits(url)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await database.close()
    async with opened(url) as reopened:
        assert await names(reopened) == ["trap"]


PATIENT = text("SET LOCAL lock_timeout = '60s'")


async def test_works_that_deadlock_are_both_done(database: Database) -> None:
    both_hold_one = asyncio.Barrier(2)
    runs = 0

    async def cross(tx: Transaction, first: str, second: str) -> None:
        nonlocal runs
        runs += 1
        await tx.many(PATIENT)
        await tx.run(ADD_ONE, which=first)
        if runs <= 2:
            await both_hold_one.wait()
        await tx.run(ADD_ONE, which=second)

    # Both connections are there before either holds something that the other one waits for.
    await asyncio.gather(*(database.transact(add, which, count=0) for which in "ab"))
    await asyncio.gather(database.transact(cross, "a", "b"), database.transact(cross, "b", "a"))
    assert [row["count"] for row in await database.many(ALL)] == [2, 2]
    assert runs > 2  # who is put back may meet the other once more


async def test_connections_that_the_server_ended_are_made_anew(database: Database, url: str) -> None:
    await asyncio.gather(*(database.transact(add, str(number)) for number in range(5)))
    await end_connections(url)
    assert await names(database) == [str(number) for number in range(5)]
    assert await database.transact(add, "next") == "next"


async def test_a_connection_lost_in_a_work_means_that_nothing_was_kept(database: Database, url: str) -> None:
    async def work(tx: Transaction) -> None:
        await add(tx, "lost")
        await end_connections(url)
        await add(tx, "never")

    with pytest.raises(StoreUnavailable) as raised:
        await database.transact(work)
    assert not isinstance(raised.value, OutcomeUnknown)
    assert await names(database) == []


@pytest.mark.parametrize("pooled", [pytest.param(False, id="direct"), pytest.param(True, id="behind a pooler")])
async def test_a_careless_server_setting_does_not_weaken_transactions(url: str, *, pooled: bool) -> None:
    """
    ALTER DATABASE … SET synchronous_commit = off would make acknowledged works vanish.

    With default_transaction_isolation = serializable, changes at the same time would fail, however often tried again.
    """
    name = url.partition("?")[0].rpartition("/")[2]
    await execute(
        url,
        f'ALTER DATABASE "{name}" SET synchronous_commit = off',
        f'ALTER DATABASE "{name}" SET client_min_messages = error',
        f'ALTER DATABASE "{name}" SET default_transaction_isolation = serializable',
    )
    named = {"s": "synchronous_commit", "m": "client_min_messages", "i": "transaction_isolation"}
    settings = text(f"SELECT {', '.join(f'current_setting({name!r}) AS {short}' for short, name in named.items())}")

    async def ask(tx: Transaction) -> object:
        return await tx.one(settings)

    async with opened(url + "&statement_cache_size=0" * pooled) as database:
        assert await database.transact(ask) == {"s": "on", "m": "warning", "i": "read committed"}
        assert await database.transact(add_and_announce, "a") == "a"
        assert await database.one(ALL) == {"name": "a", "count": 1}


async def test_a_lock_held_too_long_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(postgres_connections.SETTINGS, "lock_timeout", "100ms")
    holder = await asyncpg.connect(url)
    await holder.execute("BEGIN; LOCK TABLE trial_items")
    async with opened(url) as database:
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await database.transact(add, "a")
        await holder.close()
        assert await database.transact(add, "a") == "a"


async def test_when_every_connection_is_busy_too_long_it_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_WRITERS", 1)
    monkeypatch.setattr(postgres_connections, "_WAIT_S", 0.05)
    finish = asyncio.Event()

    async def occupy(_tx: Transaction) -> None:
        await finish.wait()

    async with opened(url) as database:
        occupant = asyncio.create_task(database.transact(occupy))
        await asyncio.sleep(0.05)
        with pytest.raises(StoreUnavailable, match="busy"):
            await database.transact(add, "a")
        finish.set()
        await occupant
        assert await database.transact(add, "b") == "b"


async def test_a_migration_meanwhile_is_got_over(database: Database, url: str) -> None:
    """Prepared statements of a table that changed are refused once; the work is run again."""
    whole = items.select()

    async def work(tx: Transaction) -> int:
        return len(await tx.many(whole))

    await database.transact(add, "a")
    assert await database.transact(work) == 1
    await execute(url, "ALTER TABLE trial_items ALTER COLUMN count TYPE INTEGER")
    assert await database.transact(work) == 1


async def test_stray_events_are_numbered_once_by_many_at_the_same_time(database: Database, url: str) -> None:
    """The lock on the head comes before the look at what is pending, else two would number the same event."""
    _, before = await database.position()
    async with opened(url) as other:
        for _ in range(20):
            await execute(url, STRAY)
            await asyncio.gather(*(node.number_stray_events() for node in (database, other) * 4))
    told = await events(database, since=before)
    assert len(told) == 100
    assert [event["subject"] for event in told] == list("12345") * 20
    assert_chained(told)
