"""Triggers that an update carries along only if it names a column that matters to verifiers."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from keybearer.server.store.triggers import recreate_statements

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Put this version's triggers in the place of the older ones."""
    for statement in recreate_statements(op.get_context().dialect.name):
        op.execute(sa.text(statement.replace(":", "\\:")))
