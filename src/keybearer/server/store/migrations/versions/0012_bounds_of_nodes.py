"""The bound of each node that answers verifiers: nodes have different ones while that setting is being changed."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"


def upgrade() -> None:
    """Add the column; of a node that has ended before, no verifier can have believed longer than any setting allows."""
    op.add_column("verifier_nodes", sa.Column("bound", sa.BigInteger(), nullable=False, server_default="300"))
