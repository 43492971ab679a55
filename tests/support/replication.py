"""A PostgreSQL with a synchronous standby, each a process of its own."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from tests.support import postgres
from tests.support.postgres import Cluster

_SETTINGS = postgres.SETTINGS | postgres.IN_A_HURRY | {"wal_level": "replica", "max_wal_senders": "4"}
_PATIENCE_S = 30
_SYNCHRONOUS = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary that acknowledges nothing without its standby."""

    primary: Cluster
    standby: Cluster

    async def be_synchronous(self) -> None:
        """Have the primary wait for its standby from now on."""
        await self._wait_for("*")
        async with asyncio.timeout(_PATIENCE_S):
            while not await ask(self.primary, _SYNCHRONOUS):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def be_alone(self) -> None:
        """Have the primary wait for nobody any more; what waits is let go on."""
        await self._wait_for("")

    async def _wait_for(self, names: str) -> None:
        await ask(self.primary, f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        await ask(self.primary, "SELECT pg_reload_conf()")


async def ask(cluster: Cluster, statement: str, database: str = "postgres") -> list[asyncpg.Record]:
    """Run one statement on a connection of its own."""
    connection = await asyncpg.connect(cluster.url(database), timeout=_PATIENCE_S)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


@contextmanager
def running_pair() -> Iterator[Pair]:
    """Run a primary and its standby while the block lasts."""
    owner = postgres._Owner.of_this_process()
    with ExitStack() as lent:
        one, other = [Path(lent.enter_context(TemporaryDirectory(prefix="keybearer-pg-"))) for _ in range(2)]
        for folder in (one, other):
            os.chown(folder, owner.user, owner.group)
        programs = postgres._programs(one)
        postgres._initdb(programs, one, owner)
        primary = lent.enter_context(_running(programs, one, owner))
        copy: list[str | Path] = [
            "-h",
            one,
            "-U",
            "postgres",
            "-D",
            other / "data",
            "-R",
            "--checkpoint=fast",
            "--no-sync",
        ]
        if postgres._start([programs / "pg_basebackup", *copy], other, owner).wait(_PATIENCE_S):
            raise RuntimeError(f"pg_basebackup failed: {(other / 'log').read_text()}")
        yield Pair(primary, lent.enter_context(_running(programs, other, owner)))


@contextmanager
def _running(programs: Path, folder: Path, owner: postgres._Owner) -> Iterator[Cluster]:
    command = [programs / "postgres", *postgres._options(_SETTINGS, folder)]
    cluster = Cluster(folder, command, owner, postgres._start(command, folder, owner))
    try:
        postgres._wait_until_ready(folder, cluster.process)
        yield cluster
    finally:
        postgres._stop(cluster.process, signal.SIGQUIT)
