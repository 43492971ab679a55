"""Who verifies tokens, on which nodes they ask, and how many calls they may let through."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, Table, Text, UniqueConstraint

from keybearer.server.store.tables.base import index_where, metadata, one_of
from keybearer.wire.token_text import ENVIRONMENTS

resource_servers = Table(
    "resource_servers",
    metadata,
    Column("resource_server_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("last4", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger),
    Column("revoked_at", BigInteger),
    UniqueConstraint("digest"),
    CheckConstraint(one_of("environment", ENVIRONMENTS), name="environment"),
    CheckConstraint("length(digest) = 32", name="digest"),
)
index_where(
    "uq_resource_servers_name_key",
    resource_servers.c.name_key,
    when=resource_servers.c.revoked_at.is_(None),
    unique=True,
)

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("team_id", BigInteger, primary_key=True, autoincrement=False),
    Column("full_at", BigInteger, nullable=False),
)

rate_clock = Table(
    "rate_clock",
    metadata,
    Column("singleton", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("beats", BigInteger, nullable=False),
    CheckConstraint("singleton = 1", name="singleton"),
)

verifier_nodes = Table(
    "verifier_nodes",
    metadata,
    Column("node_id", Text, primary_key=True),
    Column("beat", BigInteger, nullable=False),
    Column("is_closed", Integer, nullable=False),
    Column("wanted", BigInteger, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("reached", Text, nullable=False),
    Column("bound", BigInteger, nullable=False, server_default="300"),
    CheckConstraint("is_closed IN (0, 1)", name="is_closed"),
)
