"""Webhooks, and what was delivered to them."""

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

from keybearer.server.store.tables.base import index_where, metadata, one_of
from keybearer.server.store.tables.people import teams

DELIVERY_PACES = ("schedule", "once")
DELIVERY_STATUSES = ("waiting", "delivered", "failed")

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

index_where("ix_webhooks_tell_at", webhooks.c.tell_at, when=webhooks.c.tell_at.is_not(None))

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
    CheckConstraint(one_of("pace", DELIVERY_PACES), name="pace"),
    CheckConstraint(one_of("status", DELIVERY_STATUSES), name="status"),
    Index(None, "webhook_id", "delivery_id"),
)
index_where(
    "ix_webhook_deliveries_waiting",
    webhook_deliveries.c.webhook_id,
    webhook_deliveries.c.due_at,
    when=webhook_deliveries.c.status == "waiting",
)
