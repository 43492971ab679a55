"""Notice that this PostgreSQL is not the one that the feed was written in, and begin a new epoch there."""

import logging
import secrets
from typing import Final

import asyncpg

from keybearer.server.store.database import EpochAndSeq
from keybearer.server.store.faults import NO_HEAD, StoreUnavailable
from keybearer.server.store.postgres_connections import FAULTS, Link, leave_if_gone, name_fault
from keybearer.server.store.postgres_transaction import Boundary, commit, roll_back

_LOG = logging.getLogger(__name__)

# A basebackup or a standby that was promoted differs in its timeline, another server in its system identifier, a dump
# that was read into another database of the same server in the database, and one read over this database in the table.
# The timeline is asked of the write-ahead log: the control file tells it only after the first checkpoint that follows a
# promotion (coherence.md has the control file's).
_HERE: Final = """(
    SELECT
        pg_is_in_recovery() AS is_standby,
        CASE WHEN pg_is_in_recovery() THEN 0
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int::bigint END AS timeline,
        (SELECT system_identifier FROM pg_control_system()) AS sysid,
        (SELECT oid::bigint FROM pg_database WHERE datname = current_database()) AS database_oid,
        'feed_head'::regclass::oid::bigint AS table_oid
) AS here"""
_DIFFERS: Final = """
    (head.timeline, head.sysid, head.database_oid, head.table_oid)
    <> (here.timeline, here.sysid, here.database_oid, here.table_oid)"""
_COMPARE: Final = f"SELECT here.is_standby, {_DIFFERS} AS differs FROM feed_head AS head, {_HERE}"  # noqa: S608 - all ours
# A message in the write-ahead log makes COMMIT wait for the standbys as a changed row does, and holds no lock that
# revocations, or other nodes' barriers, would queue at (coherence.md has a column of feed_head).
PROVE: Final = f"""
    SELECT head.epoch, here.is_standby OR {_DIFFERS} AS is_elsewhere,
        pg_logical_emit_message(true, 'keybearer', '')::text AS trace
    FROM feed_head AS head, {_HERE}"""  # noqa: S608 - all ours
_RENEW: Final = f"""
    UPDATE feed_head AS head SET epoch = $1, timeline = here.timeline, sysid = here.sysid,
        database_oid = here.database_oid, table_oid = here.table_oid
    FROM {_HERE} WHERE {_DIFFERS} RETURNING head.epoch, head.seq"""  # noqa: S608 - all ours
_NOT_MIGRATED: Final = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)


async def settle_lineage(connection: Link, boundary: Boundary) -> EpochAndSeq | None:
    """
    Begin a new epoch if the server behind *connection* is another than the feed's, and return its position then.

    Of several nodes that notice at once, one is first, and the others find nothing to do.

    Raises:
        StoreUnavailable: the server is a standby, or its database was not migrated.

    Source: coherence.md 5.2, S5.
    """
    try:
        here = await connection.fetchrow(_COMPARE)
    except _NOT_MIGRATED as error:
        raise StoreUnavailable(f"PostgreSQL: the database was not migrated: {error!r}") from error
    except FAULTS as error:
        leave_if_gone(connection, error)
        raise name_fault(error) from error
    if here is None:
        raise StoreUnavailable(NO_HEAD)
    if here["is_standby"]:
        raise StoreUnavailable("PostgreSQL: this server is a standby")
    return await _begin_epoch(connection, boundary) if here["differs"] else None


async def _begin_epoch(connection: Link, boundary: Boundary) -> EpochAndSeq | None:
    await boundary.begin(connection)
    try:
        head = await connection.fetchrow(_RENEW, secrets.token_hex(8))
    except FAULTS as error:
        await roll_back(connection)
        raise name_fault(error) from error
    await commit(connection)
    if head is None:
        return None
    _LOG.info("the feed begins a new epoch, because this is not the PostgreSQL that it was written in")
    return head["epoch"], head["seq"]
