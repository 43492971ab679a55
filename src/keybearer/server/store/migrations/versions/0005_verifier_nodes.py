"""What nodes tell one another of their verifiers."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "verifier_nodes",
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("is_closed", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("reached", sa.Text(), nullable=False),
        sa.CheckConstraint("is_closed IN (0, 1)", name=op.f("ck_verifier_nodes_is_closed")),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_verifier_nodes")),
    )
