"""What is used up of each user's rate limit in each team, and the clock by which it is regained."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"


def upgrade() -> None:
    """Add both tables, and the clock's one row."""
    op.create_table(
        "rate_limits",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("team_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("full_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "team_id", name=op.f("pk_rate_limits")),
    )
    clock = op.create_table(
        "rate_clock",
        sa.Column("singleton", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("singleton = 1", name=op.f("ck_rate_clock_singleton")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_rate_clock")),
    )
    op.bulk_insert(clock, [{"singleton": 1, "at": 0, "beats": 0}])
