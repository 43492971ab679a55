"""The tables, with every constraint named; migrations bring a database to this shape."""

from keybearer.server.store.tables.activity import (
    activity_checkpoints,
    activity_cursors,
    activity_logs,
    activity_records,
    activity_seal,
    activity_tiles,
)
from keybearer.server.store.tables.base import Serial, metadata
from keybearer.server.store.tables.credentials import (
    authorizations,
    client_redirect_uris,
    client_secrets,
    clients,
    codes,
    families,
    grants,
    tokens,
)
from keybearer.server.store.tables.feed import feed, feed_head, feed_pending
from keybearer.server.store.tables.notices import expiries, notices
from keybearer.server.store.tables.people import (
    devices,
    mail_links,
    memberships,
    policy,
    sessions,
    sign_in_attempts,
    teams,
    users,
)
from keybearer.server.store.tables.verifiers import rate_clock, rate_limits, resource_servers, verifier_nodes
from keybearer.server.store.tables.webhooks import webhook_deliveries, webhooks

__all__ = (
    "Serial",
    "activity_checkpoints",
    "activity_cursors",
    "activity_logs",
    "activity_records",
    "activity_seal",
    "activity_tiles",
    "authorizations",
    "client_redirect_uris",
    "client_secrets",
    "clients",
    "codes",
    "devices",
    "expiries",
    "families",
    "feed",
    "feed_head",
    "feed_pending",
    "grants",
    "mail_links",
    "memberships",
    "metadata",
    "notices",
    "policy",
    "rate_clock",
    "rate_limits",
    "resource_servers",
    "sessions",
    "sign_in_attempts",
    "teams",
    "tokens",
    "users",
    "verifier_nodes",
    "webhook_deliveries",
    "webhooks",
)
