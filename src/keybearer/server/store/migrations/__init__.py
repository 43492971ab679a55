"""Bring a database to this version's tables; Alembic writes the SQL, the bare driver runs it."""

import asyncio
import io
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw
from sqlalchemy import Text, column, select, table

from keybearer.server.store.database import Reader
from keybearer.server.store.faults import StoreUnavailable
from keybearer.server.store.migrations.activity_conversion import convert_postgres, convert_sqlite

# Alembic and asyncpg are imported where they are used: a start on a database of this version may need neither.
if TYPE_CHECKING:
    from keybearer.server.store.postgres_connections import Link

_FOLDER: Final = Path(__file__).parent
_VERSIONS: Final = "versions/[0-9][0-9][0-9][0-9]_*.py"
_BUSY_MS: Final = 60_000
_PRESENT: Final = "SELECT version_num FROM alembic_version"
_REVISION: Final = select(column("version_num", Text)).select_from(table("alembic_version"))


def migrate(url: str) -> bool:
    """
    Bring the database at *url* to this version, in one transaction; several that try at once take turns.

    Args:
        url: ``sqlite:///path`` or ``postgresql://…``.

    Returns:
        Whether there was anything to do.

    Raises:
        RuntimeError: the database was made by a later version.
        StoreUnavailable: no PostgreSQL answers there, or the file is no database that can be written.
    """
    if url.startswith("sqlite:"):
        try:
            return _migrate_sqlite(url.removeprefix("sqlite:///"))
        except apsw.Error as error:
            raise StoreUnavailable(f"SQLite: {error}") from error
    return asyncio.run(_migrate_postgres(url))


def present_revision(url: str) -> str | None:
    """
    Return the revision that the database at *url* is at, None if it has no tables yet; nothing is made or changed.

    Raises:
        StoreUnavailable: no server answers there, or the file is no database that can be read.
    """
    if not url.startswith("sqlite:"):
        return asyncio.run(_postgres_revision(url))
    path = Path(url.removeprefix("sqlite:///"))
    try:
        return _sqlite_revision(str(path)) if path.exists() else None
    except apsw.Error as error:
        raise StoreUnavailable(f"SQLite: {error}") from error


async def revision(reader: Reader) -> str | None:
    """Return the revision that an open database is at."""
    row = await reader.one(_REVISION)
    return str(row["version_num"]) if row else None


@cache
def newest() -> str:
    """Return the revision that this version's code expects: the last number among the files."""
    return max(path.name[:4] for path in _FOLDER.glob(_VERSIONS))


def script(dialect: str, present: str | None, wanted: str = "head") -> str:
    """
    Return the SQL that leads from the *present* revision (None: an empty database) to the *wanted* one.

    Raises:
        RuntimeError: *present* is not one of ours.
    """
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    known = {revision.revision for revision in ScriptDirectory(str(_FOLDER)).walk_revisions()}
    if present is not None and present not in known:
        msg = f"the database is at revision {present}, which this version does not know: install the later version"
        raise RuntimeError(msg)
    written = io.StringIO()
    config = Config(output_buffer=written)
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["dialect"] = dialect
    command.upgrade(config, f"{present or 'base'}:{wanted}", sql=True)
    return written.getvalue()


def _migrate_sqlite(path: str) -> bool:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with closing(apsw.Connection(path)) as connection:
        connection.set_busy_timeout(_BUSY_MS)
        # apsw stops at each row until it is fetched, and the statements behind it wait.
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE").fetchall()
        present = _sqlite_present(connection)
        if present == newest():
            return False  # closing the connection rolls the empty transaction back
        connection.execute(script("sqlite", present)).fetchall()
        convert_sqlite(connection)
        connection.execute("COMMIT")
    return True


def _sqlite_revision(path: str) -> str | None:
    with closing(apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        connection.set_busy_timeout(_BUSY_MS)
        return _sqlite_present(connection)


def _sqlite_present(connection: apsw.Connection) -> str | None:
    has_table = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    found: str | None = connection.execute(_PRESENT).get if has_table else None
    return found


async def _migrate_postgres(url: str) -> bool:
    from keybearer.server.store.postgres_connections import FAULTS, name_fault  # noqa: PLC0415

    connection = await _connected(url)
    try:
        async with connection.transaction():
            # Only politeness: without the lock the second one fails on a table that is there, and changes nothing.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('keybearer migrations'))")
            present = await _present(connection)
            if present == newest():
                return False
            if present is None:
                await _demand_unicode(connection)
            await connection.execute(script("postgresql", present))
            await convert_postgres(connection)
        return True
    except FAULTS as error:
        raise name_fault(error) from error
    finally:
        await connection.close()


async def _demand_unicode(connection: "Link") -> None:
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise StoreUnavailable(f"PostgreSQL: its encoding is {encoding}; make a database WITH ENCODING 'UTF8'")


async def _postgres_revision(url: str) -> str | None:
    connection = await _connected(url)
    try:
        return await _present(connection)
    finally:
        await connection.close()


async def _connected(url: str) -> "Link":
    from keybearer.server.store.postgres_connections import Address  # noqa: PLC0415

    return await Address.parse(url).connect()


async def _present(connection: "Link") -> str | None:
    has_table = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    found: str | None = await connection.fetchval(_PRESENT) if has_table else None
    return found
