"""What holds when a process is killed, or another one writes to the same database."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.server.store.acknowledging import WAITERS
from tests.server.store.trial import add_and_announce, assert_chained, create_tables, events, names, opened

KILLED_AFTER = 200  # acknowledgements


@contextmanager
def writing(url: str, prefix: str, *count: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.server.store.acknowledging", url, prefix, *count]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.durable
async def test_what_was_acknowledged_survives_the_death_of_the_process(database_url: str) -> None:
    await create_tables(database_url)
    acknowledged = []
    with writing(database_url, "x") as process:
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged.append(line.strip())
            if len(acknowledged) == KILLED_AFTER:
                process.send_signal(signal.SIGKILL)
    assert len(acknowledged) >= KILLED_AFTER
    async with opened(database_url) as database:
        kept = set(await names(database))
        assert kept.issuperset(acknowledged)
        assert len(kept) <= len(acknowledged) + WAITERS  # and of those in doubt no more than were under way
        told = await events(database)
        assert {event["subject"] for event in told} >= kept
        assert_chained(told)
        assert await database.transact(add_and_announce, "afterwards") == "afterwards"


async def test_two_processes_write_at_the_same_time(database_url: str) -> None:
    await create_tables(database_url)
    async with opened(database_url) as database:
        with writing(database_url, "theirs", "25") as process:
            assert process.stdout is not None
            await asyncio.to_thread(process.stdout.readline)  # it is under way
            works = [database.transact(add_and_announce, f"ours-{number}") for number in range(200)]
            await asyncio.gather(*works)
            output = await asyncio.to_thread(process.communicate)
            assert process.returncode == 0, output
        kept = await names(database)
        assert sum(name.startswith("ours") for name in kept) == 200
        assert sum(name.startswith("theirs") for name in kept) == 25 * WAITERS
        told = await events(database)
        assert len({event["subject"] for event in told} & set(kept)) == len(kept)
        assert_chained(told)
