"""Notices that wait to be mailed: for each grant the latest only."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, bindparam, delete, func, literal, null, select, update
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as upsert

from keybearer.server.records import Notice, ToldNotice
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.expiries import PERSONAL, split_standing, with_standing
from keybearer.server.store.rows import as_row
from keybearer.server.store.tables import clients, grants, notices, teams, users

_revokers = users.alias("revokers")
_IS_DUE = notices.c.due_at <= bindparam("now")
_IS_CLAIMED = notices.c.claim_id == bindparam("by_claim")


def _in_place_of_older(add: Insert) -> Insert:
    return add.on_conflict_do_update(
        index_elements=[notices.c.grant_id],
        set_={column.name: add.excluded[column.name] for column in notices.c if not column.primary_key},
    )


_NOW = bindparam("now", type_=BigInteger)
_PUT = _in_place_of_older(upsert(notices))
_PUT_OF_CLIENT = _in_place_of_older(
    upsert(notices).from_select(
        [column.name for column in notices.c],
        select(
            grants.c.grant_id,
            grants.c.user_id,
            literal("revoked"),
            _NOW,
            bindparam("by_user_id", type_=BigInteger),
            literal(0, BigInteger),
            _NOW,
            null(),
            _NOW,
        )
        .where(
            grants.c.client_id == bindparam("the_client"),
            grants.c.ended_at.is_(None),
            grants.c.user_id.is_distinct_from(bindparam("by_user_id", type_=BigInteger)),
        )
        .order_by(grants.c.grant_id),
    )
)
_USERS_DUE = select(notices.c.user_id).where(_IS_DUE).group_by(notices.c.user_id).limit(bindparam("limit"))
# Notices that wait to be sent together, or to be tried again, are claimed too; those that another node sends are not.
_CLAIM = (
    update(notices)
    .where(notices.c.user_id == bindparam("the_user"), _IS_DUE | notices.c.claim_id.is_(None))
    .values(claim_id=bindparam("by_claim"), due_at=bindparam("until"))
)
_TOLD = (
    with_standing(
        notices.outerjoin(_revokers, _revokers.c.user_id == notices.c.by_user_id),
        notices.c.grant_id,
        notices.c.kind,
        notices.c.at,
        notices.c.attempts,
        users.c.email,
        func.coalesce(grants.c.name, clients.c.name).label("name"),
        PERSONAL.c.last4,
        teams.c.name.label("team_name"),
        _revokers.c.name.label("by_name"),
        _revokers.c.email.label("by_email"),
        clients.c.deleted_at.label("client_deleted_at"),
    )
    .where(_IS_CLAIMED)
    .order_by(notices.c.at, notices.c.grant_id)
)
_DONE = delete(notices).where(_IS_CLAIMED)
_GIVE_UP = delete(notices).where(_IS_CLAIMED, notices.c.created_at < bindparam("before"))
_PUT_OFF = (
    update(notices)
    .where(_IS_CLAIMED)
    .values(claim_id=None, due_at=bindparam("next_at"), attempts=notices.c.attempts + 1)
)


async def put_all(tx: Transaction, put: Sequence[Notice], due_at: int, now: int) -> None:
    """
    Have users mailed at *due_at*; this replaces notices that wait about the same grants.

    All transactions take the grants in the same order, so that none waits for another in a circle.
    """
    rows = [
        as_row(notice) | {"attempts": 0, "due_at": due_at, "claim_id": None, "created_at": now}
        for notice in sorted(put, key=lambda notice: notice.grant_id)
    ]
    await tx.run_all(_PUT, rows)


async def put_for_client(tx: Transaction, client_id: str, by_user_id: int | None, now: int) -> None:
    """
    Have everybody mailed who let this client in, except the user who deletes it; by one statement for all of them.

    The grants are taken in the order of `put_all`.
    """
    await tx.run(_PUT_OF_CLIENT, the_client=client_id, by_user_id=by_user_id, now=now)


async def users_due(reader: Reader, now: int, limit: int) -> list[int]:
    """Return users to be mailed at *now*."""
    return [row["user_id"] for row in await reader.many(_USERS_DUE, now=now, limit=limit)]


async def claim(tx: Transaction, user_id: int, claim_id: str, now: int, until: int) -> list[ToldNotice]:
    """
    Take all that waits for a user, so that no other node mails it meanwhile.

    Args:
        claim_id: nobody else's.
        until: when another node may take it.

    Returns:
        What there is to tell, the earliest first; nothing if another node was first.
    """
    if not await tx.run(_CLAIM, the_user=user_id, by_claim=claim_id, now=now, until=until):
        return []
    told = [split_standing(row) for row in await tx.many(_TOLD, by_claim=claim_id)]
    return [ToldNotice(**row, standing=standing) for row, standing in told]


async def forget(tx: Transaction, claim_id: str) -> None:
    """Delete notices that were mailed, or are not true any more."""
    await tx.run(_DONE, by_claim=claim_id)


async def put_off(tx: Transaction, claim_id: str, next_at: int, before: int) -> None:
    """Have notices that could not be mailed tried again at *next_at*, except those that wait since *before*."""
    await tx.run(_GIVE_UP, by_claim=claim_id, before=before)
    await tx.run(_PUT_OFF, by_claim=claim_id, next_at=next_at)
