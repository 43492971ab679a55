"""Deletes rows that are no longer needed, stretch by stretch."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Table, Text, and_, bindparam, delete, select

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

LOOKED_AT: Final = 1_000  # at once; of those that live, too: a look at a million would hold everybody up


@dataclass(frozen=True, slots=True)
class Horizon:
    """
    What is no longer needed.

    Args:
        before: what ended before this time, in microseconds since 1970 UTC.
        lately: the same for what is kept for a short time only.
        made_before: a record id (UUIDv7) of the time *before*.
    """

    before: int
    lately: int
    made_before: str


class Sweeper:
    """
    Walks through a table by its primary key, and deletes the rows that meet a condition.

    Args:
        condition: names values of the `Horizon`.
        is_by_time: the key is in the order of creation, so that the young rows are not looked at.
    """

    def __init__(self, table: Table, condition: ColumnElement[bool], *, is_by_time: bool = False) -> None:
        key = next(iter(table.primary_key.columns))
        self.start: str | bytes = "" if isinstance(key.type, Text) else b""
        ahead = key > bindparam("after")
        if is_by_time:
            ahead = and_(ahead, key < bindparam("made_before"))
        self._end = select(key.label("key")).where(ahead).order_by(key).limit(1).offset(LOOKED_AT - 1)
        self._delete = delete(table).where(ahead, key <= bindparam("end"), condition)
        self._delete_last = delete(table).where(ahead, condition)
        self._needs = [name for name in Horizon.__slots__ if name in condition.compile().params]
        self._bounds = ["made_before"] if is_by_time else []

    async def sweep(self, tx: Transaction, after: str | bytes, horizon: Horizon) -> str | bytes | None:
        """
        Look at the next rows, and delete those that are no longer needed.

        Args:
            after: where the last call came to; `start` at first.

        Returns:
            Where this one came to; None at the table's end.
        """
        bounds = {name: getattr(horizon, name) for name in self._bounds}
        values = bounds | {name: getattr(horizon, name) for name in self._needs}
        row = await tx.one(self._end, after=after, **bounds)
        if row is None:
            await tx.run(self._delete_last, after=after, **values)
            return None
        await tx.run(self._delete, after=after, end=row["key"], **values)
        end: str | bytes = row["key"]
        return end


_BEFORE: Final = bindparam("before", type_=tokens.c.expires_at.type)
_LATELY: Final = bindparam("lately", type_=tokens.c.expires_at.type)

# An authorization request hangs on its session, so it goes first. Grants and families stay: they are few, and they are
# the history of who let what in. What strangers can have us write is of no use to anybody two days later, and would
# fill the disk in ninety.
SWEEPERS: Final = (
    Sweeper(authorizations, authorizations.c.expires_at < _LATELY),
    Sweeper(sign_in_attempts, (sign_in_attempts.c.failed_at < _LATELY) & (sign_in_attempts.c.blocked_until < _LATELY)),
    Sweeper(webhook_deliveries, webhook_deliveries.c.delivery_id < bindparam("made_before"), is_by_time=True),
    Sweeper(codes, codes.c.expires_at < _BEFORE),
    Sweeper(mail_links, mail_links.c.expires_at < _BEFORE),
    Sweeper(devices, devices.c.expires_at < _BEFORE),
    Sweeper(
        sessions,
        ((sessions.c.expires_at < _BEFORE) | (sessions.c.ended_at < _BEFORE))
        & ~select(authorizations.c.digest).where(authorizations.c.session_id == sessions.c.session_id).exists(),
    ),
    Sweeper(
        webhooks,
        (webhooks.c.deleted_at < _BEFORE)
        & ~select(webhook_deliveries.c.delivery_id)
        .where(webhook_deliveries.c.webhook_id == webhooks.c.webhook_id)
        .exists(),
    ),
    Sweeper(
        tokens,
        (tokens.c.expires_at < _BEFORE) | (tokens.c.revoked_at < _BEFORE) | (tokens.c.used_at < _BEFORE),
        is_by_time=True,
    ),
)
