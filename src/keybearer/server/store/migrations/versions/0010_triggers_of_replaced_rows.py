"""Triggers that tell of every row that REPLACE deletes, by whichever unique index; 0011 has replaced them."""

from typing import Final

revision: Final = "0010"
down_revision: Final = "0009"


def upgrade() -> None:
    """Leave the triggers to 0011, which makes all of them again."""
