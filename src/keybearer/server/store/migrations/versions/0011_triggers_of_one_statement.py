"""Triggers that run one statement each: who a row concerned before is told only by an update that can change that."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from keybearer.server.store.triggers import recreate_statements

revision: Final = "0011"
down_revision: Final = "0010"


def upgrade() -> None:
    """Put this version's triggers in the place of the older ones."""
    for statement in recreate_statements(op.get_context().dialect.name):
        op.execute(sa.text(statement.replace(":", "\\:")))
