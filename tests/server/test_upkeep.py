"""Rows that ended long ago are taken away, younger ones and the living stay, and verifiers are not told of the dead."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import apsw
import asyncpg
import pytest
from sqlalchemy import insert, select
from structlog.testing import capture_logs

from keybearer.server import secrets
from keybearer.server.clock import DAY, HOUR, MINUTE
from keybearer.server.last_used import LastUsed
from keybearer.server.mail.mailer import Letter, Mailer
from keybearer.server.records import Attempts
from keybearer.server.sealing.sealer import SealingTrouble
from keybearer.server.store import sign_in_attempts, tables
from keybearer.server.store.database import Database, Transaction
from keybearer.server.store.faults import StoreUnavailable
from keybearer.server.store.pruning import LOOKED_AT, SWEEPERS, Horizon, Sweeper
from keybearer.server.store.sqlite_connections import Rows, SqlitePart
from keybearer.server.store.tables import tokens
from keybearer.server.upkeep import again_and_again, prune_all, unless_doubted
from keybearer.server.wall_clock import wall_clock
from tests.server.store.test_feed_events import DIGESTS, MEMBERSHIP, SCENE
from tests.server.store.trial import execute, opened
from tests.support.clock import HandClock
from tests.support.databases import copy_sqlite
from tests.support.mailbox import Mailbox

TIMEOUT_S = 30
IDS = select(tokens.c.token_id).order_by(tokens.c.token_id)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    for statement in (*SCENE.strip().split(";\n"), MEMBERSHIP):
        await execute(database_url, statement)
    async with opened(database_url) as running:
        yield running


async def _add_token(url: str, made_at: int, number: int, **columns: int) -> str:
    """Add an access token made at *made_at* by raw SQL and return its id."""
    token_id = secrets.record_id(made_at)
    digest = DIGESTS[url.partition(":")[0]].replace("abab", f"{number:04}", 1)
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    await execute(
        url,
        "INSERT INTO tokens (token_id, digest, kind, last4, grant_id, family_id, pair_id, narrowing, scope,"  # noqa: S608
        f" created_at{names}) VALUES ('{token_id}', {digest}, 'oat', 'abcd', 'g1', 'f1', 'p{number}', 'none', '',"
        f" {made_at}{values})",
    )
    return token_id


async def test_what_ended_90_days_ago_goes_and_what_ended_89_days_ago_stays(
    database: Database, database_url: str, clock: HandClock
) -> None:
    now = clock.now()
    made = now - 200 * DAY
    await _add_token(database_url, made, 1, expires_at=now - 91 * DAY)
    younger = await _add_token(database_url, made, 2, expires_at=now - 89 * DAY)
    alive = await _add_token(database_url, made, 3, expires_at=now + DAY)
    await _add_token(database_url, made, 4, expires_at=now + DAY, revoked_at=now - 91 * DAY)
    await prune_all(database, now)
    assert {row["token_id"] for row in await database.many(IDS)} == {younger, alive}


async def test_of_more_rows_than_are_looked_at_at_once_the_old_go_and_the_others_stay(
    database: Database, clock: HandClock
) -> None:
    now, count = clock.now(), 2 * LOOKED_AT + 1
    failed = [now - (3 if number % 2 else 1) * DAY for number in range(count)]
    rows = [
        {"email_digest": os.urandom(32), "device_digest": b"", "failures": 1, "failed_at": at, "blocked_until": 0}
        for at in failed
    ]

    async def fail(tx: Transaction) -> None:
        await tx.run_all(insert(tables.sign_in_attempts), rows)

    await database.transact(fail)
    await prune_all(database, now)
    left = await database.many(select(tables.sign_in_attempts.c.failed_at))
    assert [row["failed_at"] for row in left] == [now - DAY] * (LOOKED_AT + 1)


@pytest.mark.parametrize("sweeper", SWEEPERS, ids=lambda sweeper: str(sweeper._delete.table))
async def test_no_table_is_looked_through_at_once(migrated_sqlite: Path, tmp_path: Path, sweeper: Sweeper) -> None:
    copy_sqlite(migrated_sqlite, tmp_path / "keybearer.db")
    with closing(apsw.Connection(str(tmp_path / "keybearer.db"))) as connection:
        planned: list[str] = []

        def note(_cursor: apsw.Cursor, text: str, _values: object) -> bool:
            if not text.startswith("EXPLAIN"):
                plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", [b""] * text.count("?")).fetchall()
                planned.extend(str(line[3]) for line in plan)
            return True

        part = SqlitePart(Rows(connection))
        connection.exec_trace = note
        await sweeper.sweep(part, sweeper.start, Horizon(1, 1, "x"))
    assert planned
    assert [line for line in planned if line.startswith("SCAN")] == []


async def test_taking_dead_tokens_away_tells_the_verifiers_nothing(
    database: Database, database_url: str, clock: HandClock
) -> None:
    now = clock.now()
    await _add_token(database_url, now - 200 * DAY, 1, expires_at=now - 91 * DAY)
    before = await database.number_stray_events()
    await prune_all(database, now)
    assert await database.number_stray_events() == before


async def test_a_last_use_that_could_not_be_written_is_written_later(
    database: Database, database_url: str, clock: HandClock
) -> None:
    token_id = await _add_token(database_url, clock.now(), 1, expires_at=clock.now() + DAY)
    last_used = LastUsed()
    last_used.note(token_id, clock.now())
    async with opened(database_url) as closed:
        pass
    with pytest.raises(StoreUnavailable):
        await last_used.write(closed)
    await last_used.write(database)
    assert await _last_use(database) == clock.now()


async def test_a_use_that_another_node_was_later_to_see_is_not_overwritten(
    database: Database, database_url: str, clock: HandClock
) -> None:
    token_id = await _add_token(database_url, clock.now(), 1, expires_at=clock.now() + DAY)
    for seen_at in (clock.now(), clock.now() - MINUTE):
        last_used = LastUsed()
        last_used.note(token_id, seen_at)
        await last_used.write(database)
    assert await _last_use(database) == clock.now()


async def test_uses_beyond_what_one_transaction_takes_are_written_too(
    database: Database, database_url: str, clock: HandClock
) -> None:
    token_id = await _add_token(database_url, clock.now(), 1, expires_at=clock.now() + DAY)
    last_used = LastUsed()
    for number in range(1_000):
        last_used.note(f"a token taken away meanwhile {number}", clock.now())
    last_used.note(token_id, clock.now())
    await last_used.write(database)
    assert await _last_use(database) == clock.now()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_writing_last_uses_waits_for_nobody_who_has_a_token_in_hand(
    database: Database, database_url: str, clock: HandClock
) -> None:
    held, free = [await _add_token(database_url, clock.now(), n, expires_at=clock.now() + DAY) for n in (1, 2)]
    last_used = LastUsed()
    for token_id in (held, free):
        last_used.note(token_id, clock.now())
    refresh = await asyncpg.connect(database_url)
    try:
        async with refresh.transaction():
            await refresh.execute("UPDATE tokens SET revoked_at = $2 WHERE token_id = $1", held, clock.now())
            await last_used.write(database)
    finally:
        await refresh.close()
    rows = await database.many(select(tokens.c.token_id).where(tokens.c.last_used_at.is_not(None)))
    assert [row["token_id"] for row in rows] == [free]


async def _last_use(database: Database) -> int | None:
    row = await database.one(select(tokens.c.last_used_at))
    assert row is not None
    used_at: int | None = row["last_used_at"]
    return used_at


async def test_failed_sign_ins_are_kept_as_long_as_they_count_and_not_for_strangers_to_fill_the_disk(
    database: Database, clock: HandClock
) -> None:
    now = clock.now()
    for name, failed_at, blocked_until in (("old", 49, 49), ("blocked", 49, 47), ("recent", 47, 49)):
        key = (secrets.digest(name), b"")
        await database.transact(sign_in_attempts.lock, *key)
        attempts = Attempts(5, now - failed_at * HOUR, now - blocked_until * HOUR)
        await database.transact(sign_in_attempts.keep, *key, attempts)
    await prune_all(database, now)
    kept = {row["email_digest"] for row in await database.many(select(tables.sign_in_attempts.c.email_digest))}
    assert kept == {secrets.digest("blocked"), secrets.digest("recent")}


async def test_mail_that_was_written_as_files_goes_after_a_while(tmp_path: Path, clock: HandClock) -> None:
    mailer = Mailer("", tmp_path / "mail", "keybearer@localhost")
    for subject, age in (("old", 31 * DAY), ("young", 29 * DAY)):
        await mailer.send(Letter("ada@example.com", subject, "…"))
        written_at = (clock.now() - age) * 1_000
        for file in (tmp_path / "mail").iterdir():
            if f"Subject: {subject}" in file.read_text():
                os.utime(file, ns=(written_at, written_at))
    await mailer.forget_before(clock.now() - 30 * DAY)
    assert [mail["Subject"] for mail in Mailbox(tmp_path / "mail").all()] == ["young"]


async def test_each_kind_of_fault_of_regular_work_is_logged_once_and_that_it_is_over() -> None:
    another, away = SealingTrouble("another key"), StoreUnavailable("away")
    course: list[Exception | None] = [another, another, away, ValueError(), ValueError(), None, None, another]
    is_over = asyncio.Event()

    async def work() -> None:
        if not course:
            is_over.set()
        elif trouble := course.pop(0):
            raise trouble

    with capture_logs() as lines:
        task = asyncio.create_task(again_and_again(0, "tidying", work))
        async with asyncio.timeout(TIMEOUT_S):
            await is_over.wait()
        task.cancel()
    told = [
        ("tidying put off", "SealingTrouble"),
        ("tidying put off", "StoreUnavailable"),
        ("tidying put off", "ValueError"),
        ("tidying put off; that is over", None),
        ("tidying put off", "SealingTrouble"),
    ]
    assert [(line["event"], line.get("fault")) for line in lines][: len(told)] == told


@pytest.mark.parametrize("off", [pytest.param(0, id="right"), pytest.param(365 * DAY, id="a year ahead")])
async def test_a_node_whose_clock_is_not_the_databases_deletes_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, clock: HandClock, off: int
) -> None:
    async def told(_: object) -> int:
        return clock.now() - off

    async def delete() -> None:
        done.append("deleted")

    done = list[str]()
    monkeypatch.setattr(type(database), "clock", told)
    await unless_doubted(database, await wall_clock(database, clock.now, clock.elapsed), delete)
    assert done == ([] if off else ["deleted"])
