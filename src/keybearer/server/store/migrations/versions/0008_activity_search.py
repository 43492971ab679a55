"""The activity log is searched by when things happened: each filter of its page finds its newest by one index."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"

_TABLE: Final = "activity_records"
_OF_WHOM: Final = ("client_id", "token_id", "user_id")


def upgrade() -> None:
    """Put the time before the record's number in what the page searches by; what is rare has indexes of its own."""
    for columns in ("team_id", "team_id_user_id", "team_id_action", "team_id_client_id", "team_id_token_id"):
        op.drop_index(f"ix_{_TABLE}_{columns}_activity_id", _TABLE)
    op.create_index(op.f(f"ix_{_TABLE}_team_id_at_activity_id"), _TABLE, ["team_id", "at", "activity_id"])
    for column in _OF_WHOM:
        _create_index_where([column], f"{column} IS NOT NULL")
    _create_index_where(["user_id", "client_id"], "client_id IS NOT NULL")
    for rare, condition in (("action", "action <> 'api.called'"), ("outcome", "outcome <> 'done'")):
        _create_index_where([rare], condition)
        for column in _OF_WHOM:
            _create_index_where([column, rare], condition)


def _create_index_where(searched: list[str], condition: str) -> None:
    columns = ["team_id", *searched, "at", "activity_id"]
    where = sa.text(condition)
    name = op.f(f"ix_{_TABLE}_{'_'.join(columns)}")
    op.create_index(name, _TABLE, columns, sqlite_where=where, postgresql_where=where)
