"""The first tables: people, teams, clients, grants, tokens, sessions, the activity log and the feed."""

import secrets
from typing import Final

import sqlalchemy as sa
from alembic import op

from keybearer.server.store.feed_numbering import POSTGRES_FUNCTION

revision: Final = "0001"
down_revision: Final = None

_NO_HASH: Final = {"sqlite": f"X'{'00' * 32}'", "postgresql": f"'\\x{'00' * 32}'::bytea"}


def upgrade() -> None:
    """Create the tables, then the head of the feed; the newest migration that changes the triggers makes them."""
    _create_tables()
    dialect = op.get_context().dialect.name
    if dialect == "postgresql":
        op.execute(sa.text(POSTGRES_FUNCTION.replace(":", "\\:")))
    op.execute(
        sa.text(
            "INSERT INTO feed_head (singleton, epoch, seq, hash, min_seq, timeline, sysid)"
            f" VALUES (1, '{secrets.token_hex(8)}', 0, {_NO_HASH[dialect]}, 1, 0, 0)".replace(":", "\\:")
        )
    )


def _create_tables() -> None:
    op.create_table(
        "activity_records",
        sa.Column(
            "activity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("grant_id", sa.Text(), nullable=True),
        sa.Column("token_id", sa.Text(), nullable=True),
        sa.Column("token_last4", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.CheckConstraint("outcome IN ('done', 'refused')", name=op.f("ck_activity_records_outcome")),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_activity_records")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_activity_records_team_id_activity_id"), "activity_records", ["team_id", "activity_id"], unique=False
    )
    op.create_index(
        op.f("ix_activity_records_user_id_activity_id"), "activity_records", ["user_id", "activity_id"], unique=False
    )
    op.create_table(
        "feed",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_feed")),
    )
    op.create_table(
        "feed_head",
        sa.Column("singleton", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("min_seq", sa.BigInteger(), nullable=False),
        sa.Column("timeline", sa.BigInteger(), nullable=False),
        sa.Column("sysid", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("singleton = 1", name=op.f("ck_feed_head_singleton")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_feed_head")),
    )
    op.create_table(
        "feed_pending",
        sa.Column(
            "pending_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pending_id", name=op.f("pk_feed_pending")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("email_digest", sa.LargeBinary(), nullable=False),
        sa.Column("device_digest", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("email_digest", "device_digest", name=op.f("pk_sign_in_attempts")),
    )
    op.create_table(
        "teams",
        sa.Column("team_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("telephone", sa.Text(), nullable=True),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("logo", sa.Text(), nullable=True),
        sa.Column("supported_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("environment IN ('live', 'sandbox')", name=op.f("ck_teams_environment")),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_teams")),
        sa.UniqueConstraint("identifier", name=op.f("uq_teams_identifier")),
        sa.UniqueConstraint("team_id", "environment", name=op.f("uq_teams_team_id_environment")),
        sa.UniqueConstraint("uuid", name=op.f("uq_teams_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "users",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pkce", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("twin_of", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind = 'confidential' OR pkce = 'required'", name=op.f("ck_clients_public_needs_pkce")),
        sa.CheckConstraint("kind IN ('confidential', 'public')", name=op.f("ck_clients_kind")),
        sa.CheckConstraint(
            "length(client_id) BETWEEN 4 AND 64 AND client_id >= 'a'", name=op.f("ck_clients_client_id")
        ),
        sa.CheckConstraint("pkce IN ('required', 'optional')", name=op.f("ck_clients_pkce")),
        sa.ForeignKeyConstraint(["created_by"], ["users.user_id"], name=op.f("fk_clients_created_by")),
        sa.ForeignKeyConstraint(
            ["team_id", "environment"], ["teams.team_id", "teams.environment"], name="fk_clients_team"
        ),
        sa.ForeignKeyConstraint(["twin_of"], ["clients.client_id"], name=op.f("fk_clients_twin_of")),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_clients")),
        sa.UniqueConstraint("client_id", "environment", name=op.f("uq_clients_client_id_environment")),
    )
    op.create_index(
        "uq_clients_team_id_name_key",
        "clients",
        ["team_id", "name_key"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "devices",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_devices_digest")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_devices_user_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_devices")),
    )
    op.create_index(op.f("ix_devices_user_id"), "devices", ["user_id"], unique=False)
    op.create_table(
        "mail_links",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("purpose IN ('change_email', 'verify_email')", name=op.f("ck_mail_links_purpose")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_mail_links_digest")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_mail_links_user_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_mail_links")),
    )
    op.create_index(op.f("ix_mail_links_user_id"), "mail_links", ["user_id"], unique=False)
    op.create_table(
        "memberships",
        sa.Column(
            "membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("role <> 'assumed' OR expires_at IS NOT NULL", name=op.f("ck_memberships_assumed_ends")),
        sa.CheckConstraint(
            "role IS NULL OR role IN ('owner', 'member', 'read-only', 'assigned-only', 'assumed')",
            name=op.f("ck_memberships_role"),
        ),
        sa.CheckConstraint("(role IS NULL) = (left_at IS NOT NULL)", name=op.f("ck_memberships_role_until_left")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_memberships_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("team_id", "user_id", name=op.f("uq_memberships_team_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("authenticated_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_sessions_digest")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.team_id"], name=op.f("fk_sessions_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_sessions_digest")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "authorizations",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("redirect_uri_sent", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("narrowing", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "narrowing = 'scope' OR (narrowing = 'none' AND scope = '')",
            name=op.f("ck_authorizations_authorization_narrowing"),
        ),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_authorizations_digest")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], name=op.f("fk_authorizations_client_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.session_id"], name=op.f("fk_authorizations_session_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_authorizations")),
    )
    op.create_index(op.f("ix_authorizations_session_id"), "authorizations", ["session_id"], unique=False)
    op.create_table(
        "client_redirect_uris",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], name=op.f("fk_client_redirect_uris_client_id")),
        sa.PrimaryKeyConstraint("client_id", "position", name=op.f("pk_client_redirect_uris")),
        sa.UniqueConstraint("client_id", "uri", name=op.f("uq_client_redirect_uris_client_id_uri")),
    )
    op.create_table(
        "client_secrets",
        sa.Column("secret_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_client_secrets_digest")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], name=op.f("fk_client_secrets_client_id")),
        sa.PrimaryKeyConstraint("secret_id", name=op.f("pk_client_secrets")),
        sa.UniqueConstraint("digest", name=op.f("uq_client_secrets_digest")),
    )
    op.create_index(op.f("ix_client_secrets_client_id"), "client_secrets", ["client_id"], unique=False)
    op.create_table(
        "grants",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("name_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(client_id IS NULL) = (name IS NOT NULL) AND (name IS NULL) = (name_key IS NULL)",
            name=op.f("ck_grants_personal_is_named"),
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "environment"], ["clients.client_id", "clients.environment"], name="fk_grants_client"
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "environment"], ["teams.team_id", "teams.environment"], name="fk_grants_team"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_grants_user_id")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_client_id"), "grants", ["client_id"], unique=False)
    op.create_index(op.f("ix_grants_team_id"), "grants", ["team_id"], unique=False)
    op.create_index(op.f("ix_grants_user_id"), "grants", ["user_id"], unique=False)
    op.create_index(
        "uq_grants_user_id_team_id_client_id",
        "grants",
        ["user_id", "team_id", "client_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL AND client_id IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NULL AND client_id IS NOT NULL"),
    )
    op.create_index(
        "uq_grants_user_id_team_id_name_key",
        "grants",
        ["user_id", "team_id", "name_key"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL AND client_id IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL AND client_id IS NULL"),
    )
    op.create_table(
        "families",
        sa.Column("family_id", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("narrowing", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "narrowing = 'scope' OR (narrowing = 'none' AND scope = '')", name=op.f("ck_families_family_narrowing")
        ),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.grant_id"], name=op.f("fk_families_grant_id")),
        sa.PrimaryKeyConstraint("family_id", name=op.f("pk_families")),
    )
    op.create_index(op.f("ix_families_grant_id"), "families", ["grant_id"], unique=False)
    op.create_table(
        "codes",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("family_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("redirect_uri_sent", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("redirect_uri_sent IN ('yes', 'no')", name=op.f("ck_codes_redirect_uri_sent")),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_codes_digest")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], name=op.f("fk_codes_client_id")),
        sa.ForeignKeyConstraint(["family_id"], ["families.family_id"], name=op.f("fk_codes_family_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_codes")),
    )
    op.create_index(op.f("ix_codes_family_id"), "codes", ["family_id"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("family_id", sa.Text(), nullable=True),
        sa.Column("pair_id", sa.Text(), nullable=True),
        sa.Column("narrowing", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("successor_pair_id", sa.Text(), nullable=True),
        sa.Column("sealed_successor", sa.LargeBinary(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'pat') = (family_id IS NULL) AND (kind = 'pat') = (pair_id IS NULL)",
            name=op.f("ck_tokens_kind_shape"),
        ),
        sa.CheckConstraint("kind IN ('pat', 'oat', 'ort')", name=op.f("ck_tokens_kind")),
        sa.CheckConstraint(
            "narrowing = 'scope' OR (narrowing = 'none' AND scope = '')", name=op.f("ck_tokens_token_narrowing")
        ),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_tokens_digest")),
        sa.ForeignKeyConstraint(["family_id"], ["families.family_id"], name=op.f("fk_tokens_family_id")),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.grant_id"], name=op.f("fk_tokens_grant_id")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )
    op.create_index(op.f("ix_tokens_family_id"), "tokens", ["family_id"], unique=False)
    op.create_index(op.f("ix_tokens_grant_id"), "tokens", ["grant_id"], unique=False)
    op.create_index(op.f("ix_tokens_pair_id"), "tokens", ["pair_id"], unique=False)
