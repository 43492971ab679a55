"""The tables, with every constraint named; migrations bring a database to this shape."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite numbers rows by itself only where the type is INTEGER; its INTEGER holds 64 bits.
Serial = BigInteger().with_variant(Integer, "sqlite")

ROLES = ("owner", "member", "read-only", "assigned-only", "assumed")
ENVIRONMENTS = ("live", "sandbox")
TOKEN_KINDS = ("pat", "oat", "ort")
# What may end a grant together with much else: the feed tells that by one broader event (triggers.py).
GRANT_ENDS = ("membership", "user")
LOG_KINDS = ("team", "user", "server", "tree")
ACTIVITY_OUTCOMES = ("done", "refused", "failed", "unknown")
DELIVERY_PACES = ("schedule", "once")
DELIVERY_STATUSES = ("waiting", "delivered", "failed")


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def _narrowing(owner: str) -> tuple[Column[str], Column[str], CheckConstraint]:
    """Return the two columns that say how far a *owner* is narrowed, and the rule that ties them."""
    return (
        Column("narrowing", Text, nullable=False),
        Column("scope", Text, nullable=False),
        CheckConstraint("narrowing = 'scope' OR (narrowing = 'none' AND scope = '')", name=f"{owner}_narrowing"),
    )


def _index_where(name: str, *columns: Column[Any], when: ColumnElement[bool], unique: bool = False) -> None:
    """Declare an index of only those rows for which *when* holds."""
    Index(name, *columns, unique=unique, sqlite_where=when, postgresql_where=when)


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
    CheckConstraint(_one_of("environment", ENVIRONMENTS), name="environment"),
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
    CheckConstraint(f"role IS NULL OR {_one_of('role', ROLES)}", name="role"),
    CheckConstraint("(role IS NULL) = (left_at IS NOT NULL)", name="role_until_left"),
    CheckConstraint("role <> 'assumed' OR expires_at IS NOT NULL", name="assumed_ends"),
    Index(None, "user_id"),
    sqlite_autoincrement=True,
)

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
    CheckConstraint(_one_of("kind", ("confidential", "public")), name="kind"),
    CheckConstraint(_one_of("pkce", ("required", "optional")), name="pkce"),
    CheckConstraint("kind = 'confidential' OR pkce = 'required'", name="public_needs_pkce"),
    # A subject is a number in decimal digits, so a client id that starts with a letter never looks like one.
    CheckConstraint("length(client_id) BETWEEN 4 AND 64 AND client_id >= 'a'", name="client_id"),
)
_index_where(
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
    CheckConstraint(f"ended_with IS NULL OR {_one_of('ended_with', GRANT_ENDS)}", name="ended_with"),
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
_index_where(
    "uq_grants_user_id_team_id_client_id",
    grants.c.user_id,
    grants.c.team_id,
    grants.c.client_id,
    when=grants.c.ended_at.is_(None) & grants.c.client_id.is_not(None),
    unique=True,
)
_index_where(
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
    *_narrowing("family"),
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
    *_narrowing("token"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("used_at", BigInteger),
    Column("successor_pair_id", Text),
    Column("sealed_successor", LargeBinary),
    Column("last_used_at", BigInteger),
    UniqueConstraint("digest"),
    CheckConstraint(_one_of("kind", TOKEN_KINDS), name="kind"),
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
    CheckConstraint(_one_of("redirect_uri_sent", ("yes", "no")), name="redirect_uri_sent"),
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
    *_narrowing("authorization"),
    Column("challenge", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    CheckConstraint("length(digest) = 32", name="digest"),
    Index(None, "session_id"),
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

resource_servers = Table(
    "resource_servers",
    metadata,
    Column("resource_server_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("last4", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger),
    Column("revoked_at", BigInteger),
    UniqueConstraint("digest"),
    CheckConstraint(_one_of("environment", ENVIRONMENTS), name="environment"),
    CheckConstraint("length(digest) = 32", name="digest"),
)
_index_where(
    "uq_resource_servers_name_key",
    resource_servers.c.name_key,
    when=resource_servers.c.revoked_at.is_(None),
    unique=True,
)

policy = Table(
    "policy",
    metadata,
    Column("singleton", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False),
    CheckConstraint("singleton = 1", name="singleton"),
)

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("team_id", BigInteger, primary_key=True, autoincrement=False),
    Column("full_at", BigInteger, nullable=False),
)

rate_clock = Table(
    "rate_clock",
    metadata,
    Column("singleton", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("beats", BigInteger, nullable=False),
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
    CheckConstraint(_one_of("purpose", ("change_email", "verify_email")), name="purpose"),
    Index(None, "user_id"),
)

activity_logs = Table(
    "activity_logs",
    metadata,
    Column("log_id", Serial, primary_key=True, autoincrement=True),
    Column("origin", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("team_id", BigInteger),
    Column("user_id", BigInteger),
    Column("month", Text, nullable=False),
    Column("part", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("min_index", BigInteger, nullable=False),
    Column("frozen_at", BigInteger),
    Column("frozen_why", Text),
    UniqueConstraint("origin"),
    CheckConstraint(_one_of("kind", LOG_KINDS), name="kind"),
    CheckConstraint("length(root) = 32", name="root"),
    CheckConstraint("(frozen_at IS NULL) = (frozen_why IS NULL)", name="frozen_why"),
    sqlite_autoincrement=True,
)

# Beside the entry stand copies of what it says, to search by. Nothing personal but the user's number is one of them.
activity_records = Table(
    "activity_records",
    metadata,
    Column("activity_id", Serial, primary_key=True, autoincrement=True),
    Column("log_id", BigInteger),
    Column("log_index", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("details", LargeBinary),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("user_id", BigInteger),
    Column("team_id", BigInteger),
    Column("environment", Text),
    Column("client_id", Text),
    Column("grant_id", Text),
    Column("token_id", Text),
    Column("token_last4", Text),
    Column("method", Text),
    Column("route", Text),
    Column("status", BigInteger),
    Column("request_id", Text),
    Column("reporter", Text),
    Column("boot", Text),
    Column("n", BigInteger),
    CheckConstraint(_one_of("outcome", ACTIVITY_OUTCOMES), name="outcome"),
    CheckConstraint("(log_id IS NULL) = (log_index IS NULL)", name="log_index"),
    CheckConstraint("(reporter IS NULL) = (n IS NULL) AND (boot IS NULL) = (n IS NULL)", name="reporter"),
    Index(None, "user_id", "activity_id"),
    Index(None, "team_id", "at", "activity_id"),
    sqlite_autoincrement=True,
)
# What has no place in a log yet: the sealer looks there every second.
_index_where(
    "ix_activity_records_unsequenced", activity_records.c.activity_id, when=activity_records.c.log_id.is_(None)
)


def _index_search(when: ColumnElement[bool], *columns: Column[Any]) -> None:
    """Declare an index by which the log's page finds the newest of a team's records that have these values."""
    every = (activity_records.c.team_id, *columns, activity_records.c.at, activity_records.c.activity_id)
    _index_where(f"ix_activity_records_{'_'.join(column.name for column in every)}", *every, when=when)


# Nearly all records are calls, and done: only the others are worth an index of action or outcome.
_OF_WHOM = (activity_records.c.user_id, activity_records.c.token_id, activity_records.c.client_id)
for _whose in _OF_WHOM:
    _index_search(_whose.is_not(None), _whose)
_index_search(activity_records.c.client_id.is_not(None), activity_records.c.user_id, activity_records.c.client_id)
for _rare, _when in (
    (activity_records.c.action, activity_records.c.action != "api.called"),
    (activity_records.c.outcome, activity_records.c.outcome != "done"),
):
    _index_search(_when, _rare)
    for _whose in _OF_WHOM:
        _index_search(_when, _whose, _rare)

_index_where(
    "uq_activity_records_log_id_log_index",
    activity_records.c.log_id,
    activity_records.c.log_index,
    when=activity_records.c.log_id.is_not(None),
    unique=True,
)
_index_where(
    "uq_activity_records_reporter_boot_n",
    activity_records.c.reporter,
    activity_records.c.boot,
    activity_records.c.n,
    when=activity_records.c.n.is_not(None),
    unique=True,
)

activity_tiles = Table(
    "activity_tiles",
    metadata,
    Column("log_id", BigInteger, ForeignKey(activity_logs.c.log_id), primary_key=True, autoincrement=False),
    Column("level", BigInteger, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

# A checkpoint without a note is decided and not signed yet.
activity_checkpoints = Table(
    "activity_checkpoints",
    metadata,
    Column("log_id", BigInteger, ForeignKey(activity_logs.c.log_id), primary_key=True, autoincrement=False),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("note", Text),
    Column("tree_id", BigInteger),
    Column("tree_index", BigInteger),
    CheckConstraint("length(root) = 32", name="root"),
)
_index_where(
    "ix_activity_checkpoints_unsigned", activity_checkpoints.c.log_id, when=activity_checkpoints.c.note.is_(None)
)

# One row: whoever has it locked is the one that puts records into logs. The key signs them all.
activity_seal = Table(
    "activity_seal",
    metadata,
    Column("singleton", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    CheckConstraint("singleton = 1", name="singleton"),
)

# How far each process that reports has come: all records up to `through` are kept, or were given up for lost.
activity_cursors = Table(
    "activity_cursors",
    metadata,
    Column("reporter", Text, primary_key=True),
    Column("boot", Text, primary_key=True),
    Column("through", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False),
    Column("missing_since", BigInteger),
    Column("seen_at", BigInteger, nullable=False),
)
_index_where(
    "ix_activity_cursors_missing_since",
    activity_cursors.c.missing_since,
    when=activity_cursors.c.missing_since.is_not(None),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", Text, primary_key=True),
    Column("team_id", BigInteger, nullable=False),
    Column("environment", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("sealed_secret", LargeBinary),
    Column("sealed_previous", LargeBinary),
    Column("previous_ends_at", BigInteger),
    Column("failures", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("switched_off_at", BigInteger),
    Column("tell_at", BigInteger),
    Column("deleted_at", BigInteger),
    ForeignKeyConstraint(["team_id", "environment"], [teams.c.team_id, teams.c.environment], name="fk_webhooks_team"),
    CheckConstraint("events <> ''", name="events"),
    CheckConstraint("(sealed_secret IS NULL) = (deleted_at IS NOT NULL)", name="secret_until_deleted"),
    CheckConstraint("(sealed_previous IS NULL) = (previous_ends_at IS NULL)", name="previous_ends"),
    Index(None, "team_id"),
)

_index_where("ix_webhooks_tell_at", webhooks.c.tell_at, when=webhooks.c.tell_at.is_not(None))

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery_id", Text, primary_key=True),
    Column("webhook_id", Text, ForeignKey(webhooks.c.webhook_id), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("pace", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("claim_id", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("attempted_at", BigInteger),
    Column("answered", BigInteger),
    Column("trouble", Text),
    UniqueConstraint("webhook_id", "event_id"),
    CheckConstraint(_one_of("pace", DELIVERY_PACES), name="pace"),
    CheckConstraint(_one_of("status", DELIVERY_STATUSES), name="status"),
    Index(None, "webhook_id", "delivery_id"),
)
_index_where(
    "ix_webhook_deliveries_waiting",
    webhook_deliveries.c.webhook_id,
    webhook_deliveries.c.due_at,
    when=webhook_deliveries.c.status == "waiting",
)

feed_head = Table(
    "feed_head",
    metadata,
    Column("singleton", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("min_seq", BigInteger, nullable=False),
    Column("timeline", BigInteger, nullable=False),
    Column("sysid", BigInteger, nullable=False),
    Column("database_oid", BigInteger, nullable=False, server_default="0"),
    Column("table_oid", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("singleton = 1", name="singleton"),
)

feed_pending = Table(
    "feed_pending",
    metadata,
    Column("pending_id", Serial, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

feed = Table(
    "feed",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

verifier_nodes = Table(
    "verifier_nodes",
    metadata,
    Column("node_id", Text, primary_key=True),
    Column("beat", BigInteger, nullable=False),
    Column("is_closed", Integer, nullable=False),
    Column("wanted", BigInteger, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("reached", Text, nullable=False),
    CheckConstraint("is_closed IN (0, 1)", name="is_closed"),
)
