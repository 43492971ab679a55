"""Deletes rows that are no longer needed, a few at a time."""

from typing import Final

from sqlalchemy import BindParameter, ColumnElement, Delete, Table, bindparam, delete, select, tuple_

from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import (
    authorizations,
    codes,
    devices,
    mail_links,
    sessions,
    sign_in_attempts,
    tokens,
    webhook_deliveries,
    webhooks,
)

AT_ONCE: Final = 1_000
_BEFORE: Final[BindParameter[int]] = bindparam("before")
_LATELY: Final[BindParameter[int]] = bindparam("lately")

# An authorization request hangs on its session, so it goes first. Grants and families stay: they are few, and they are
# the history of who let what in.
_FORGOTTEN: Final[tuple[tuple[Table, ColumnElement[bool]], ...]] = (
    (codes, codes.c.expires_at < _BEFORE),
    (mail_links, mail_links.c.expires_at < _BEFORE),
    (devices, devices.c.expires_at < _BEFORE),
    (
        sessions,
        ((sessions.c.expires_at < _BEFORE) | (sessions.c.ended_at < _BEFORE))
        & ~select(authorizations.c.digest).where(authorizations.c.session_id == sessions.c.session_id).exists(),
    ),
    (
        webhooks,
        (webhooks.c.deleted_at < _BEFORE)
        & ~select(webhook_deliveries.c.delivery_id)
        .where(webhook_deliveries.c.webhook_id == webhooks.c.webhook_id)
        .exists(),
    ),
)


def _some_of(table: Table, condition: ColumnElement[bool]) -> Delete:
    """Return the statement that deletes at most ``AT_ONCE`` rows which meet the *condition*."""
    key = tuple_(*table.primary_key.columns)
    return delete(table).where(key.in_(select(*table.primary_key.columns).where(condition).limit(AT_ONCE)))


_STATEMENTS: Final = tuple(_some_of(table, condition) for table, condition in _FORGOTTEN)
# What strangers can have us write is of no use to anybody two days later, and would fill the disk in ninety.
_SHORT_LIVED: Final = (
    _some_of(authorizations, authorizations.c.expires_at < _LATELY),
    _some_of(sign_in_attempts, (sign_in_attempts.c.failed_at < _LATELY) & (sign_in_attempts.c.blocked_until < _LATELY)),
)
# Ids are in the order of creation, so the primary key leads to the old rows and the young ones are not looked at.
_DELIVERIES: Final = _some_of(webhook_deliveries, webhook_deliveries.c.delivery_id < bindparam("made_before"))
_TOKENS: Final = _some_of(
    tokens,
    (tokens.c.token_id < bindparam("made_before"))
    & ((tokens.c.expires_at < _BEFORE) | (tokens.c.revoked_at < _BEFORE) | (tokens.c.used_at < _BEFORE)),
)


async def prune(tx: Transaction, before: int, lately: int, made_before: str) -> int:
    """
    Delete some of the rows that ended before *before*; return how many.

    At most ``AT_ONCE`` of each table, so that nobody waits long for this transaction: call it until it returns 0.

    Args:
        before: microseconds since 1970 UTC.
        lately: the same for what is kept for a short time only.
        made_before: a record id (UUIDv7) of that time.
    """
    deleted = [await tx.run(statement, lately=lately) for statement in _SHORT_LIVED]
    deleted += [await tx.run(_DELIVERIES, made_before=made_before)]
    deleted += [await tx.run(statement, before=before) for statement in _STATEMENTS]
    return sum(deleted) + await tx.run(_TOKENS, before=before, made_before=made_before)
