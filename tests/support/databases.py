"""A fresh, migrated database for each test: copied from a template that was migrated once."""

import asyncio
import shutil
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from tests.support.postgres import Cluster

TEMPLATE = "migrated"


# What a test may have changed beside rows: a database of another shape is not lent again. Whatever changes a part of
# the shape writes its row in the catalogue anew, by another transaction than the one that the template has it of.
_SHAPE = """
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT format('relation %s %s', oid, xmin) AS part FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT format('column %s %s %s', attrelid, attnum, xmin) FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT format('default %s %s', oid, xmin) FROM pg_attrdef
    UNION ALL SELECT format('constraint %s %s', oid, xmin) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT format('trigger %s %s', oid, xmin) FROM pg_trigger
    UNION ALL SELECT format('function %s %s', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT format('setting %s', setconfig) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS parts
"""
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"
_ROWS = 'SELECT json_agg(t)::text FROM "{0}" AS t'
_AT_WILL = "SET LOCAL session_replication_role = replica"  # no triggers, no foreign keys
_EMPTY = 'DELETE FROM "{0}"'
_FILL = 'INSERT INTO "{0}" SELECT * FROM json_populate_recordset(NULL::"{0}", $1)'
_RESTART = "SELECT setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences"
_LEAVE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"


@dataclass(frozen=True, slots=True)
class _Content:
    """What a database is made of: a digest of its shape, and the rows of each table as JSON."""

    shape: str
    rows: dict[str, str]


class PostgresDatabases:
    """Lends databases of one cluster, over a connection of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._numbers = count(1)
        self._loop = asyncio.new_event_loop()
        self._connection = self._wait(asyncpg.connect(cluster.url()))
        self._spare: list[str] = []
        self._migrated: _Content | None = None

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
        """
        Lend the address of a database that nobody has written to; afterwards all who are still connected are cut off.

        Copying the template takes fifty times as long as emptying tables, so a migrated one is emptied and lent again.
        """
        if template == TEMPLATE and self._spare:
            name = self._spare.pop()
        else:
            name = f"test_{next(self._numbers)}"
            self.create(name, template)
        if template == TEMPLATE and self._migrated is None:
            self._migrated = self._wait(self._content_of(name))
        yield self.cluster.url(name)
        self._wait(self._connection.execute(_LEAVE, name))
        if template == TEMPLATE and self._wait(self._is_emptied(name)):
            self._spare.append(name)
        else:
            self._wait(self._connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'))

    async def _content_of(self, name: str) -> _Content:
        connection = await asyncpg.connect(self.cluster.url(name))
        tables = [row["relname"] for row in await connection.fetch(_TABLES)]
        rows = {table: await connection.fetchval(_ROWS.format(table)) for table in tables}
        content = _Content(await connection.fetchval(_SHAPE), rows)
        await connection.close()
        return content

    async def _is_emptied(self, name: str) -> bool:
        """Bring the database back to what it was; False if its test has changed more than rows."""
        assert self._migrated is not None
        connection = await asyncpg.connect(self.cluster.url(name))
        try:
            if await connection.fetchval(_SHAPE) != self._migrated.shape:
                return False
            async with connection.transaction():
                await connection.execute("; ".join([_AT_WILL, *map(_EMPTY.format, self._migrated.rows), _RESTART]))
                for table, rows in self._migrated.rows.items():
                    if rows is not None:
                        await connection.execute(_FILL.format(table), rows)
            return True
        finally:
            await connection.close()

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)


def copy_sqlite(template: Path, target: Path) -> str:
    """Copy the migrated file *template* to *target* and return its address."""
    shutil.copyfile(template, target)
    return f"sqlite:///{target}"
