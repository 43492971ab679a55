"""When to look at what is about to end, and what its users are to be mailed; what lives already is looked at, too."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from keybearer.server import clock

revision: Final = "0009"
down_revision: Final = "0008"

# 30 days before what has not run out ends at the latest. Its end counts as unknown: the first look tells nothing that
# was due before it was made.
_WATCH_THE_LIVING: Final = """
INSERT INTO expiries (grant_id, ends_at, look_at)
SELECT grants.grant_id, 0, max(tokens.expires_at) - 2592000000000
FROM grants JOIN tokens ON tokens.grant_id = grants.grant_id
WHERE grants.ended_at IS NULL AND tokens.revoked_at IS NULL AND tokens.used_at IS NULL
GROUP BY grants.grant_id
HAVING max(tokens.expires_at) > {now}
"""


def upgrade() -> None:
    """Add both tables, and a row for each grant that lives."""
    op.create_table(
        "expiries",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("look_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.grant_id"], name=op.f("fk_expiries_grant_id")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_expiries")),
    )
    op.create_index(op.f("ix_expiries_look_at"), "expiries", ["look_at"])
    op.create_table(
        "notices",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by_user_id", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('expiring', 'expired', 'revoked')", name=op.f("ck_notices_kind")),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.grant_id"], name=op.f("fk_notices_grant_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_notices_user_id")),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.user_id"], name=op.f("fk_notices_by_user_id")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_user_id"), "notices", ["user_id"])
    op.create_index(op.f("ix_notices_due_at"), "notices", ["due_at"])
    op.execute(_WATCH_THE_LIVING.format(now=clock.now()))
