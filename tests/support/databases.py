"""A fresh, migrated database for each test: copied from a template that was migrated once."""

import asyncio
import shutil
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from tests.support.postgres import Cluster

TEMPLATE = "migrated"


class PostgresDatabases:
    """Makes and drops databases of one cluster, over a connection of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._numbers = count(1)
        self._loop = asyncio.new_event_loop()
        self._connection = self._wait(asyncpg.connect(cluster.url()))

    def close(self) -> None:
        """Let go of the connection."""
        self._wait(self._connection.close())
        self._loop.close()

    def create(self, name: str, template: str = "template0") -> str:
        """Make a database out of *template* and return its address."""
        self._wait(self._connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy'))
        return self.cluster.url(name)

    @contextmanager
    def fresh(self, template: str = TEMPLATE) -> Iterator[str]:
        """Lend the address of a new database; drop it afterwards, whoever is still connected."""
        name = f"test_{next(self._numbers)}"
        yield self.create(name, template)
        self._wait(self._connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'))

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)


def copy_sqlite(template: Path, target: Path) -> str:
    """Copy the migrated file *template* to *target* and return its address."""
    shutil.copyfile(template, target)
    return f"sqlite:///{target}"
