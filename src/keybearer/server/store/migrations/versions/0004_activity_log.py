"""The activity log: entries that are signed, beside what opens and finds them, and the trees over them."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0004"
down_revision: Final = "0003"

_SERIAL: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """
    Make the log's tables; what was recorded until now waits beside them.

    An entry needs random salts and hashes, which no SQL of both databases can make: `activity_conversion` turns the
    rows of ``activity_before`` into entries in the same transaction, and drops that table.
    """
    op.execute(sa.text("CREATE TABLE activity_before AS SELECT * FROM activity_records"))
    op.drop_table("activity_records")
    _create_logs()
    _create_records()
    _create_rest()
    op.execute(sa.text("INSERT INTO activity_seal (singleton, key) VALUES (1, '')"))


def _create_index_where(name: str, columns: list[str], when: str, *, unique: bool = False) -> None:
    """Create an index of some rows; its name begins with ``ix_`` or ``uq_`` and its table's name."""
    table = next(known for known in ("activity_records", "activity_checkpoints", "activity_cursors") if known in name)
    where = sa.text(when)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _create_logs() -> None:
    op.create_table(
        "activity_logs",
        sa.Column("log_id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("min_index", sa.BigInteger(), nullable=False),
        sa.Column("frozen_at", sa.BigInteger(), nullable=True),
        sa.Column("frozen_why", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('team', 'user', 'server', 'tree')", name=op.f("ck_activity_logs_kind")),
        sa.CheckConstraint("(frozen_at IS NULL) = (frozen_why IS NULL)", name=op.f("ck_activity_logs_frozen_why")),
        sa.CheckConstraint("length(root) = 32", name=op.f("ck_activity_logs_root")),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_activity_logs")),
        sa.UniqueConstraint("origin", name=op.f("uq_activity_logs_origin")),
        sqlite_autoincrement=True,
    )


def _create_records() -> None:
    op.create_table(
        "activity_records",
        sa.Column("activity_id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("log_id", sa.BigInteger(), nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("grant_id", sa.Text(), nullable=True),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("token_last4", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("reporter", sa.Text(), nullable=True),
        sa.Column("boot", sa.Text(), nullable=True),
        sa.Column("n", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('done', 'refused', 'failed', 'unknown')", name=op.f("ck_activity_records_outcome")
        ),
        sa.CheckConstraint("(log_id IS NULL) = (log_index IS NULL)", name=op.f("ck_activity_records_log_index")),
        sa.CheckConstraint(
            "(reporter IS NULL) = (n IS NULL) AND (boot IS NULL) = (n IS NULL)",
            name=op.f("ck_activity_records_reporter"),
        ),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_activity_records")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_activity_records_team_id_action_activity_id"), "activity_records", ["team_id", "action", "activity_id"]
    )
    op.create_index(op.f("ix_activity_records_team_id_activity_id"), "activity_records", ["team_id", "activity_id"])
    _create_index_where(
        "ix_activity_records_team_id_client_id_activity_id",
        ["team_id", "client_id", "activity_id"],
        "client_id IS NOT NULL",
    )
    _create_index_where(
        "ix_activity_records_team_id_token_id_activity_id",
        ["team_id", "token_id", "activity_id"],
        "token_id IS NOT NULL",
    )
    op.create_index(
        op.f("ix_activity_records_team_id_user_id_activity_id"),
        "activity_records",
        ["team_id", "user_id", "activity_id"],
    )
    _create_index_where("ix_activity_records_unsequenced", ["activity_id"], "log_id IS NULL")
    op.create_index(op.f("ix_activity_records_user_id_activity_id"), "activity_records", ["user_id", "activity_id"])
    _create_index_where(
        "uq_activity_records_log_id_log_index", ["log_id", "log_index"], "log_id IS NOT NULL", unique=True
    )
    _create_index_where("uq_activity_records_reporter_boot_n", ["reporter", "boot", "n"], "n IS NOT NULL", unique=True)


def _create_rest() -> None:
    op.create_table(
        "activity_tiles",
        sa.Column("log_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("level", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["log_id"], ["activity_logs.log_id"], name=op.f("fk_activity_tiles_log_id")),
        sa.PrimaryKeyConstraint("log_id", "level", "place", name=op.f("pk_activity_tiles")),
    )
    op.create_table(
        "activity_checkpoints",
        sa.Column("log_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("tree_id", sa.BigInteger(), nullable=True),
        sa.Column("tree_index", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(root) = 32", name=op.f("ck_activity_checkpoints_root")),
        sa.ForeignKeyConstraint(["log_id"], ["activity_logs.log_id"], name=op.f("fk_activity_checkpoints_log_id")),
        sa.PrimaryKeyConstraint("log_id", "size", name=op.f("pk_activity_checkpoints")),
    )
    _create_index_where("ix_activity_checkpoints_unsigned", ["log_id"], "note IS NULL")
    op.create_table(
        "activity_seal",
        sa.Column("singleton", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.CheckConstraint("singleton = 1", name=op.f("ck_activity_seal_singleton")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_activity_seal")),
    )
    op.create_table(
        "activity_cursors",
        sa.Column("reporter", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("highest", sa.BigInteger(), nullable=False),
        sa.Column("missing_since", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reporter", "boot", name=op.f("pk_activity_cursors")),
    )
    _create_index_where("ix_activity_cursors_missing_since", ["missing_since"], "missing_since IS NOT NULL")
