"""A store that was put back, copied or failed over to begins a new epoch: nobody trusts what it has forgotten."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from keybearer.server.clock import HOUR
from keybearer.server.store.database import EpochAndSeq, open_database
from keybearer.server.store.faults import StoreUnavailable
from keybearer.server.store.sqlite_witness import HeadWitness
from keybearer.wire.feed import Position
from tests.server.store.trial import add_and_announce, create_tables, execute, opened
from tests.support.databases import PostgresDatabases

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def used(url: str, *names: str) -> EpochAndSeq:
    """Open the database, tell the feed of something once for each name, and return where it stands."""
    async with opened(url) as database:
        for name in names:
            await database.transact(add_and_announce, name)
        return await database.position()


async def test_a_store_that_was_only_closed_keeps_its_epoch(database_url: str) -> None:
    await create_tables(database_url)
    epoch, seq = await used(database_url, "one", "two")
    assert await used(database_url) == (epoch, seq)
    assert await used(database_url, "three") == (epoch, seq + 1)
    assert await used(database_url) == (epoch, seq + 1)


async def test_all_who_have_the_store_open_at_once_are_in_one_epoch(database_url: str) -> None:
    await create_tables(database_url)
    async with opened(database_url) as one, opened(database_url) as other:
        await one.transact(add_and_announce, "one")
        await other.transact(add_and_announce, "two")
        await one.transact(add_and_announce, "three")
        assert await one.position() == await other.position() == await used(database_url)


async def test_asking_again_in_the_same_place_changes_nothing(database_url: str) -> None:
    async with opened(database_url) as database:
        before = await database.position()
        await database.settle_lineage()
        assert await database.position() == before


def name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def witness_of(url: str) -> Path:
    return path_of(url).with_name("keybearer.db-head")


@on_sqlite
async def test_opening_does_not_touch_the_file_beside_the_database(database_url: str) -> None:
    """A change of owner to the owner that it has counted as put back, so each start as root cost a new epoch."""
    await create_tables(database_url)
    await used(database_url, "one")
    before = witness_of(database_url).stat().st_ctime_ns
    await asyncio.sleep(0.05)  # longer than a file system's tick
    await used(database_url)
    assert witness_of(database_url).stat().st_ctime_ns == before


def put_back(backup: Path, url: str, *, with_witness: bool) -> None:
    """Restore the database file over the one in use, as `cp` does, and the file beside it too if asked."""
    shutil.copyfile(backup, path_of(url))
    if with_witness:
        shutil.copyfile(backup.with_suffix(".head"), witness_of(url))


def older(line: str) -> str:
    """Return the witness' line as if it had been written an hour before the file came to its place."""
    said, _, written_at = line.strip().rpartition(" ")
    return f"{said} {int(written_at) - HOUR}\n"


@on_sqlite
@pytest.mark.parametrize("with_witness", [False, True], ids=["the database alone", "the whole folder"])
async def test_a_file_that_was_copied_back_begins_a_new_epoch(
    database_url: str, tmp_path: Path, with_witness: bool
) -> None:
    await create_tables(database_url)
    epoch, seq = await used(database_url, "one")
    backup = tmp_path / "backup.db"
    shutil.copyfile(path_of(database_url), backup)
    backup.with_suffix(".head").write_text(older(witness_of(database_url).read_text()))
    assert await used(database_url, "two") == (epoch, seq + 1)
    put_back(backup, database_url, with_witness=with_witness)
    restored_epoch, restored_seq = await used(database_url)
    assert restored_seq == seq
    assert restored_epoch != epoch
    assert (await used(database_url, "three"))[0] == restored_epoch


@on_sqlite
async def test_a_file_that_was_copied_back_unchanged_keeps_its_epoch(database_url: str, tmp_path: Path) -> None:
    await create_tables(database_url)
    before = await used(database_url, "one")
    shutil.copyfile(path_of(database_url), tmp_path / "backup.db")
    put_back(tmp_path / "backup.db", database_url, with_witness=False)
    assert await used(database_url) == before


def _lose(path: Path) -> None:
    path.unlink()


def _tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


def _garble(path: Path) -> None:
    path.write_bytes(b"\xff" * 256)


def _run_ahead(path: Path) -> None:
    """Leave it as a process does that died between its last word and its last COMMIT."""
    epoch, seq, _, _ = path.read_text().split()
    witness = HeadWitness(str(path).removesuffix("-head"))
    witness.write(Position(epoch, int(seq) + 1, b"\1" * 32))
    witness.close()


@on_sqlite
@pytest.mark.parametrize("harm", [_lose, _tear, _garble, _run_ahead], ids=["lost", "torn", "garbled", "ahead"])
async def test_a_witness_that_does_not_vouch_for_the_file_begins_a_new_epoch(
    database_url: str, harm: Callable[[Path], None]
) -> None:
    await create_tables(database_url)
    epoch, seq = await used(database_url, "one")
    harm(witness_of(database_url))
    renewed, still = await used(database_url)
    assert (still, renewed != epoch) == (seq, True)
    assert await used(database_url) == (renewed, seq)


@on_sqlite
async def test_a_witness_that_cannot_be_opened_lets_nobody_in(database_url: str) -> None:
    witness_of(database_url).mkdir()
    with pytest.raises(StoreUnavailable, match="beside the database"):
        await used(database_url)


@on_sqlite
async def test_a_file_that_is_replaced_while_it_is_open_answers_no_verifier(database_url: str, tmp_path: Path) -> None:
    async with opened(database_url) as database:
        shutil.copyfile(path_of(database_url), tmp_path / "other.db")
        (tmp_path / "other.db").replace(path_of(database_url))
        with pytest.raises(StoreUnavailable, match="replaced"):
            await database.settle_lineage()


@on_postgres
async def test_a_copy_of_a_database_begins_a_new_epoch(
    database_url: str, postgres_databases: PostgresDatabases
) -> None:
    await create_tables(database_url)
    epoch, seq = await used(database_url, "one")
    copy = await asyncio.to_thread(postgres_databases.create, "copied_back", name_of(database_url))

    renewed, still = await used(copy)
    assert (still, renewed != epoch) == (seq, True)
    assert await used(copy) == (renewed, seq)
    assert await used(database_url) == (epoch, seq)


ELSEWHERE = {
    "another server": "UPDATE feed_head SET sysid = sysid - 1",
    "a standby was promoted": "UPDATE feed_head SET timeline = timeline - 1",
    "a dump was read over it": (
        "ALTER TABLE feed_head RENAME TO dumped; CREATE TABLE feed_head (LIKE dumped INCLUDING ALL);"
        " INSERT INTO feed_head SELECT * FROM dumped; DROP TABLE dumped"
    ),
}


async def test_a_copy_that_is_only_looked_at_keeps_its_epoch(database_url: str) -> None:
    await create_tables(database_url)
    before = await used(database_url, "one")
    if database_url.startswith("sqlite"):
        witness_of(database_url).unlink()
    else:
        await execute(database_url, ELSEWHERE["another server"])
    looking = await open_database(database_url, read_only=True)
    assert await looking.position() == before
    with pytest.raises(StoreUnavailable, match="read-only"):
        await looking.transact(add_and_announce, "two")
    await looking.close()
    assert not (database_url.startswith("sqlite") and witness_of(database_url).exists())
    epoch, seq = await used(database_url)
    assert (epoch != before[0], seq) == (True, before[1]), "whoever comes to use it begins a new one"


@on_postgres
@pytest.mark.parametrize("change", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_another_lineage_begins_a_new_epoch(database_url: str, change: str) -> None:
    await create_tables(database_url)
    epoch, seq = await used(database_url, "one")
    await execute(database_url, change)
    renewed, still = await used(database_url)
    assert (still, renewed != epoch) == (seq, True)
    assert await used(database_url) == (renewed, seq)


@on_postgres
async def test_nodes_that_have_it_open_notice_before_they_answer_and_agree(database_url: str) -> None:
    told: list[EpochAndSeq] = []
    async with opened(database_url) as one, opened(database_url) as other:
        one.on_commit(told.append)
        other.on_commit(told.append)
        epoch, _ = await one.position()
        await execute(database_url, ELSEWHERE["another server"])
        await asyncio.gather(*(node.settle_lineage() for node in (one, other) * 4))
        renewed = await one.position()
        assert renewed[0] != epoch
        assert await other.position() == renewed
        assert told == [renewed]


@on_postgres
async def test_a_standby_is_not_opened(database_url: str) -> None:
    """A function of the same name stands in for the server's own, which no test database can make say yes."""
    await execute(
        database_url,
        "CREATE FUNCTION public.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        f"ALTER DATABASE {name_of(database_url)} SET search_path = public, pg_catalog",
    )
    with pytest.raises(StoreUnavailable, match="standby"):
        await used(database_url)
