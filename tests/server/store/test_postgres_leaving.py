"""A PostgreSQL that goes, or is being restored, beneath connections that are held ready."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from keybearer.server.store.database import Database
from keybearer.server.store.faults import StoreUnavailable
from tests.server.store.trial import add, end_connections, execute, names, opened


@asynccontextmanager
async def by_a_way_without_ends(url: str) -> AsyncIterator[tuple[str, asyncio.Event, asyncio.Event]]:
    """
    Have the database by a way on which what the server says last comes through, but not that it has gone.

    Gives the way's address, what is set once the server has gone, and what lets ends through from then on.
    """
    database, socket = url.partition("@/")[2].split("?host=")
    has_gone, is_mended = asyncio.Event(), asyncio.Event()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while some := await reader.read(65536):
            writer.write(some)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_upstream = await asyncio.open_unix_connection(f"{socket}/.s.PGSQL.5432")
        there = asyncio.create_task(carry(reader, to_upstream))
        await carry(upstream, writer)
        has_gone.set()
        await is_mended.wait()
        for each in (writer, to_upstream):
            each.close()
        await there

    server = await asyncio.start_server(connect, "127.0.0.1")
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql://postgres@127.0.0.1:{port}/{database}", has_gone, is_mended


async def test_a_connection_that_the_server_has_left_without_an_end_is_made_anew(url: str) -> None:
    async with by_a_way_without_ends(url) as (way, has_gone, is_mended), opened(way) as database:
        await database.transact(add, "kept")
        await end_connections(url)
        await has_gone.wait()
        with pytest.raises(StoreUnavailable):
            await database.transact(add, "lost")
        with pytest.raises(StoreUnavailable):
            await names(database)
        await database.transact(add, "next")
        assert await names(database) == ["kept", "next"]
        is_mended.set()


@pytest.mark.parametrize(("kind", "name"), [("TABLE", "trial_items"), ("FUNCTION", "number_feed")])
async def test_what_a_restore_has_taken_away_for_a_moment_is_told(
    database: Database, url: str, kind: str, name: str
) -> None:
    await execute(url, f"ALTER {kind} {name} RENAME TO taken_away")
    with pytest.raises(StoreUnavailable, match="does not exist"):
        await database.transact(add, "lost")
    await execute(url, f"ALTER {kind} taken_away RENAME TO {name}")
    await database.transact(add, "kept")
    assert await names(database) == ["kept"]
