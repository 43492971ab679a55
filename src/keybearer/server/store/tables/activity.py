"""The activity log: its records and logs, what proves them, and how far each reporter is."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from keybearer.server.store.tables.base import Serial, index_where, metadata, one_of
from keybearer.wire.activity_keys import OUTCOMES

LOG_KINDS = ("team", "user", "server", "tree")

activity_logs = Table(
    "activity_logs",
    metadata,
    Column("log_id", Serial, primary_key=True, autoincrement=True),
    Column("origin", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("team_id", BigInteger),
    Column("user_id", BigInteger),
    Column("month", Text, nullable=False),
    Column("part", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("min_index", BigInteger, nullable=False),
    Column("frozen_at", BigInteger),
    Column("frozen_why", Text),
    UniqueConstraint("origin"),
    CheckConstraint(one_of("kind", LOG_KINDS), name="kind"),
    CheckConstraint("length(root) = 32", name="root"),
    CheckConstraint("(frozen_at IS NULL) = (frozen_why IS NULL)", name="frozen_why"),
    sqlite_autoincrement=True,
)

# Beside the entry stand copies of what it says, to search by. Nothing personal but the user's number is one of them.
activity_records = Table(
    "activity_records",
    metadata,
    Column("activity_id", Serial, primary_key=True, autoincrement=True),
    Column("log_id", BigInteger),
    Column("log_index", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("details", LargeBinary),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("user_id", BigInteger),
    Column("team_id", BigInteger),
    Column("environment", Text),
    Column("client_id", Text),
    Column("grant_id", Text),
    Column("token_id", Text),
    Column("token_last4", Text),
    Column("method", Text),
    Column("route", Text),
    Column("status", BigInteger),
    Column("request_id", Text),
    Column("reporter", Text),
    Column("boot", Text),
    Column("n", BigInteger),
    CheckConstraint(one_of("outcome", OUTCOMES), name="outcome"),
    CheckConstraint("(log_id IS NULL) = (log_index IS NULL)", name="log_index"),
    CheckConstraint("(reporter IS NULL) = (n IS NULL) AND (boot IS NULL) = (n IS NULL)", name="reporter"),
    Index(None, "user_id", "activity_id"),
    Index(None, "team_id", "at", "activity_id"),
    sqlite_autoincrement=True,
)
# What has no place in a log yet: the sealer looks there every second.
index_where("ix_activity_records_unsequenced", activity_records.c.activity_id, when=activity_records.c.log_id.is_(None))


def _index_search(when: ColumnElement[bool], *columns: Column[Any]) -> None:
    """Declare an index by which the log's page finds the newest of a team's records that have these values."""
    every = (activity_records.c.team_id, *columns, activity_records.c.at, activity_records.c.activity_id)
    index_where(f"ix_activity_records_{'_'.join(column.name for column in every)}", *every, when=when)


# Nearly all records are calls, and done: only the others are worth an index of action or outcome.
_OF_WHOM = (activity_records.c.user_id, activity_records.c.token_id, activity_records.c.client_id)
for _whose in _OF_WHOM:
    _index_search(_whose.is_not(None), _whose)
_index_search(activity_records.c.client_id.is_not(None), activity_records.c.user_id, activity_records.c.client_id)
for _rare, _when in (
    (activity_records.c.action, activity_records.c.action != "api.called"),
    (activity_records.c.outcome, activity_records.c.outcome != "done"),
):
    _index_search(_when, _rare)
    for _whose in _OF_WHOM:
        _index_search(_when, _whose, _rare)

index_where(
    "uq_activity_records_log_id_log_index",
    activity_records.c.log_id,
    activity_records.c.log_index,
    when=activity_records.c.log_id.is_not(None),
    unique=True,
)
index_where(
    "uq_activity_records_reporter_boot_n",
    activity_records.c.reporter,
    activity_records.c.boot,
    activity_records.c.n,
    when=activity_records.c.n.is_not(None),
    unique=True,
)

activity_tiles = Table(
    "activity_tiles",
    metadata,
    Column("log_id", BigInteger, ForeignKey(activity_logs.c.log_id), primary_key=True, autoincrement=False),
    Column("level", BigInteger, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

# A checkpoint without a note is decided and not signed yet.
activity_checkpoints = Table(
    "activity_checkpoints",
    metadata,
    Column("log_id", BigInteger, ForeignKey(activity_logs.c.log_id), primary_key=True, autoincrement=False),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("note", Text),
    Column("tree_id", BigInteger),
    Column("tree_index", BigInteger),
    CheckConstraint("length(root) = 32", name="root"),
)
index_where(
    "ix_activity_checkpoints_unsigned", activity_checkpoints.c.log_id, when=activity_checkpoints.c.note.is_(None)
)

# One row: whoever has it locked is the one that puts records into logs. The key signs them all.
activity_seal = Table(
    "activity_seal",
    metadata,
    Column("singleton", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    CheckConstraint("singleton = 1", name="singleton"),
)

# How far each process that reports has come: all records up to `through` are kept, or were given up for lost.
activity_cursors = Table(
    "activity_cursors",
    metadata,
    Column("reporter", Text, primary_key=True),
    Column("boot", Text, primary_key=True),
    Column("through", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False),
    Column("missing_since", BigInteger),
    Column("seen_at", BigInteger, nullable=False),
)
index_where(
    "ix_activity_cursors_missing_since",
    activity_cursors.c.missing_since,
    when=activity_cursors.c.missing_since.is_not(None),
)
