"""Users, teams, who is in which with what role, and how people sign in."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from keybearer.server.roles import ROLE_NAMES
from keybearer.server.store.tables.base import Serial, metadata, one_of
from keybearer.wire.token_text import ENVIRONMENTS

users = Table(
    "users",
    metadata,
    Column("user_id", Serial, primary_key=True, autoincrement=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("verified_at", BigInteger),
    Column("disabled_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("cut_offs", BigInteger, nullable=False, server_default="0"),
    Column("operator_at", BigInteger),
    UniqueConstraint("email_key"),
    sqlite_autoincrement=True,
)

teams = Table(
    "teams",
    metadata,
    Column("team_id", Serial, primary_key=True, autoincrement=True),
    Column("identifier", Text, nullable=False),
    Column("uuid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("telephone", Text),
    Column("tier", Text, nullable=False),
    Column("logo", Text),
    Column("supported_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("archived_at", BigInteger),
    UniqueConstraint("identifier"),
    UniqueConstraint("uuid"),
    UniqueConstraint("team_id", "environment"),
    CheckConstraint(one_of("environment", ENVIRONMENTS), name="environment"),
    sqlite_autoincrement=True,
)

memberships = Table(
    "memberships",
    metadata,
    Column("membership_id", Serial, primary_key=True, autoincrement=True),
    Column("team_id", BigInteger, ForeignKey(teams.c.team_id), nullable=False),
    Column("user_id", BigInteger, ForeignKey(users.c.user_id), nullable=False),
    Column("role", Text),
    Column("expires_at", BigInteger),
    Column("joined_at", BigInteger, nullable=False),
    Column("left_at", BigInteger),
    UniqueConstraint("team_id", "user_id"),
    CheckConstraint(f"role IS NULL OR {one_of('role', ROLE_NAMES)}", name="role"),
    CheckConstraint("(role IS NULL) = (left_at IS NOT NULL)", name="role_until_left"),
    CheckConstraint("role <> 'assumed' OR expires_at IS NOT NULL", name="assumed_ends"),
    Index(None, "user_id"),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("user_id", BigInteger, ForeignKey(users.c.user_id), nullable=False),
    Column("team_id", BigInteger, ForeignKey(teams.c.team_id)),
    Column("user_agent", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("authenticated_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    UniqueConstraint("digest"),
    CheckConstraint("length(digest) = 32", name="digest"),
    Index(None, "user_id"),
)

policy = Table(
    "policy",
    metadata,
    Column("singleton", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    CheckConstraint("singleton = 1", name="singleton"),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("email_digest", LargeBinary, primary_key=True),
    Column("device_digest", LargeBinary, primary_key=True),
    Column("failures", BigInteger, nullable=False),
    Column("failed_at", BigInteger, nullable=False),
    Column("blocked_until", BigInteger, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user_id", BigInteger, ForeignKey(users.c.user_id), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    CheckConstraint("length(digest) = 32", name="digest"),
    Index(None, "user_id"),
)

mail_links = Table(
    "mail_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("user_id", BigInteger, ForeignKey(users.c.user_id), nullable=False),
    Column("email", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    CheckConstraint("length(digest) = 32", name="digest"),
    CheckConstraint(one_of("purpose", ("change_email", "verify_email")), name="purpose"),
    Index(None, "user_id"),
)
