"""When grants are looked at because they end, and what their users are to be mailed."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text

from keybearer.server.store.tables.base import metadata, one_of
from keybearer.server.store.tables.credentials import grants
from keybearer.server.store.tables.people import users

NOTICE_KINDS = ("expiring", "expired", "revoked")

# When to look next at whether a grant's user is to be told that it ends; `ends_at` is what the last look found.
expiries = Table(
    "expiries",
    metadata,
    Column("grant_id", Text, ForeignKey(grants.c.grant_id), primary_key=True),
    Column("ends_at", BigInteger, nullable=False),
    Column("look_at", BigInteger, nullable=False),
    Index(None, "look_at"),
)

# What waits to be mailed to a grant's user, at most one row of each grant: later news takes the place of older.
notices = Table(
    "notices",
    metadata,
    Column("grant_id", Text, ForeignKey(grants.c.grant_id), primary_key=True),
    Column("user_id", BigInteger, ForeignKey(users.c.user_id), nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by_user_id", BigInteger, ForeignKey(users.c.user_id)),
    Column("attempts", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("claim_id", Text),
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint(one_of("kind", NOTICE_KINDS), name="kind"),
    Index(None, "user_id"),
    Index(None, "due_at"),
)
