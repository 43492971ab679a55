"""Resource servers and their keys, operators, the roles' policy, and a feed that says whom each event concerns."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"

# ADD COLUMN takes a rule along in both databases; SQLite has no other way to add one to a table that is there.
_ENDED_WITH: Final = (
    "ALTER TABLE grants ADD COLUMN ended_with TEXT"
    " CONSTRAINT ck_grants_ended_with CHECK (ended_with IS NULL OR ended_with IN ('membership', 'user'))"
)


def upgrade() -> None:
    """Add what is new; the triggers that go with it are those of 0011."""
    op.add_column("users", sa.Column("cut_offs", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("users", sa.Column("operator_at", sa.BigInteger(), nullable=True))
    op.execute(sa.text(_ENDED_WITH))
    for oid in ("database_oid", "table_oid"):
        op.add_column("feed_head", sa.Column(oid, sa.BigInteger(), nullable=False, server_default="0"))
    _create_resource_servers()
    op.create_table(
        "policy",
        sa.Column("singleton", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("singleton = 1", name=op.f("ck_policy_singleton")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_policy")),
    )


def _create_resource_servers() -> None:
    op.create_table(
        "resource_servers",
        sa.Column("resource_server_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("environment IN ('live', 'sandbox')", name=op.f("ck_resource_servers_environment")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_resource_servers_digest")),
        sa.PrimaryKeyConstraint("resource_server_id", name=op.f("pk_resource_servers")),
        sa.UniqueConstraint("digest", name=op.f("uq_resource_servers_digest")),
    )
    op.create_index(
        "uq_resource_servers_name_key",
        "resource_servers",
        ["name_key"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
