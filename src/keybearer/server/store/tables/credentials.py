"""Apps, and what acts in a user's name: grants, tokens, codes, and logins that wait."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from keybearer.server.store.tables.base import index_where, metadata, narrowing, one_of
from keybearer.server.store.tables.people import teams, users

TOKEN_KINDS = ("pat", "oat", "ort")
# What may end a grant together with much else: the feed tells that by one broader event (triggers.py).
GRANT_ENDS = ("membership", "user")

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("team_id", BigInteger, nullable=False),
    Column("environment", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("pkce", Text, nullable=False),
    Column("created_by", BigInteger, ForeignKey(users.c.user_id), nullable=False),
    Column("twin_of", Text, ForeignKey("clients.client_id")),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    UniqueConstraint("client_id", "environment"),
    ForeignKeyConstraint(["team_id", "environment"], [teams.c.team_id, teams.c.environment], name="fk_clients_team"),
    CheckConstraint(one_of("kind", ("confidential", "public")), name="kind"),
    CheckConstraint(one_of("pkce", ("required", "optional")), name="pkce"),
    CheckConstraint("kind = 'confidential' OR pkce = 'required'", name="public_needs_pkce"),
    # A subject is a number in decimal digits, so a client id that starts with a letter never looks like one.
    CheckConstraint("length(client_id) BETWEEN 4 AND 64 AND client_id >= 'a'", name="client_id"),
)
index_where(
    "uq_clients_team_id_name_key",
    clients.c.team_id,
    clients.c.name_key,
    when=clients.c.deleted_at.is_(None),
    unique=True,
)

client_secrets = Table(
    "client_secrets",
    metadata,
    Column("secret_id", Text, primary_key=True),
    Column("client_id", Text, ForeignKey(clients.c.client_id), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("last4", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    UniqueConstraint("digest"),
    CheckConstraint("length(digest) = 32", name="digest"),
    Index(None, "client_id"),
)

client_redirect_uris = Table(
    "client_redirect_uris",
    metadata,
    Column("client_id", Text, ForeignKey(clients.c.client_id), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("uri", Text, nullable=False),
    UniqueConstraint("client_id", "uri"),
)

grants = Table(
    "grants",
    metadata,
    Column("grant_id", Text, primary_key=True),
    Column("user_id", BigInteger, ForeignKey(users.c.user_id), nullable=False),
    Column("team_id", BigInteger, nullable=False),
    Column("environment", Text, nullable=False),
    Column("client_id", Text),
    Column("name", Text),
    Column("name_key", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_with", Text),
    CheckConstraint(f"ended_with IS NULL OR {one_of('ended_with', GRANT_ENDS)}", name="ended_with"),
    CheckConstraint(
        "(client_id IS NULL) = (name IS NOT NULL) AND (name IS NULL) = (name_key IS NULL)", name="personal_is_named"
    ),
    # Both sides must name the same environment: a sandbox app cannot be let into a live team, whatever the code does.
    ForeignKeyConstraint(["team_id", "environment"], [teams.c.team_id, teams.c.environment], name="fk_grants_team"),
    ForeignKeyConstraint(
        ["client_id", "environment"], [clients.c.client_id, clients.c.environment], name="fk_grants_client"
    ),
    Index(None, "user_id"),
    Index(None, "team_id"),
    Index(None, "client_id"),
)
index_where(
    "uq_grants_user_id_team_id_client_id",
    grants.c.user_id,
    grants.c.team_id,
    grants.c.client_id,
    when=grants.c.ended_at.is_(None) & grants.c.client_id.is_not(None),
    unique=True,
)
index_where(
    "uq_grants_user_id_team_id_name_key",
    grants.c.user_id,
    grants.c.team_id,
    grants.c.name_key,
    when=grants.c.ended_at.is_(None) & grants.c.client_id.is_(None),
    unique=True,
)

families = Table(
    "families",
    metadata,
    Column("family_id", Text, primary_key=True),
    Column("grant_id", Text, ForeignKey(grants.c.grant_id), nullable=False),
    *narrowing("family"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Index(None, "grant_id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("last4", Text, nullable=False),
    Column("grant_id", Text, ForeignKey(grants.c.grant_id), nullable=False),
    Column("family_id", Text, ForeignKey(families.c.family_id)),
    Column("pair_id", Text),
    *narrowing("token"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("used_at", BigInteger),
    Column("successor_pair_id", Text),
    Column("sealed_successor", LargeBinary),
    Column("last_used_at", BigInteger),
    UniqueConstraint("digest"),
    CheckConstraint(one_of("kind", TOKEN_KINDS), name="kind"),
    CheckConstraint("length(digest) = 32", name="digest"),
    CheckConstraint(
        "(kind = 'pat') = (family_id IS NULL) AND (kind = 'pat') = (pair_id IS NULL)",
        name="kind_shape",
    ),
    Index(None, "grant_id"),
    Index(None, "family_id"),
    Index(None, "pair_id"),
)

codes = Table(
    "codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("family_id", Text, ForeignKey(families.c.family_id), nullable=False),
    Column("client_id", Text, ForeignKey(clients.c.client_id), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("redirect_uri_sent", Text, nullable=False),
    Column("challenge", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    CheckConstraint("length(digest) = 32", name="digest"),
    CheckConstraint(one_of("redirect_uri_sent", ("yes", "no")), name="redirect_uri_sent"),
    Index(None, "family_id"),
)

authorizations = Table(
    "authorizations",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("session_id", Text, ForeignKey("sessions.session_id"), nullable=False),
    Column("client_id", Text, ForeignKey(clients.c.client_id), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("redirect_uri_sent", Text, nullable=False),
    Column("state", Text),
    *narrowing("authorization"),
    Column("challenge", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    CheckConstraint("length(digest) = 32", name="digest"),
    Index(None, "session_id"),
)
