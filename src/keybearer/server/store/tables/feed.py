"""The feed of changes for verifiers."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, Table, Text

from keybearer.server.store.tables.base import Serial, metadata

feed_head = Table(
    "feed_head",
    metadata,
    Column("singleton", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("min_seq", BigInteger, nullable=False),
    Column("timeline", BigInteger, nullable=False),
    Column("sysid", BigInteger, nullable=False),
    Column("database_oid", BigInteger, nullable=False, server_default="0"),
    Column("table_oid", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("singleton = 1", name="singleton"),
)

feed_pending = Table(
    "feed_pending",
    metadata,
    Column("pending_id", Serial, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

feed = Table(
    "feed",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
