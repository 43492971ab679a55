"""When to look at a grant's end next, and the facts about the grant that decide what is told."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Select, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from keybearer.server.records import Expiry, Standing
from keybearer.server.store.database import Reader, Row, Transaction
from keybearer.server.store.tables import expiries, families, grants, tokens
from keybearer.server.store.whole_grants import ENDED_AT, STANDING, with_whole_grant

PERSONAL = tokens.alias("personal")
_living = tokens.alias("living")
_theirs = families.alias("theirs")


def _of_the_living(column: ColumnElement[int]) -> ScalarSelect[int]:
    """Return the greatest of a column among the grant's tokens that were not revoked, used up, or ended otherwise."""
    return (
        select(func.max(column))
        .select_from(_living.outerjoin(_theirs, _theirs.c.family_id == _living.c.family_id))
        .where(
            _living.c.grant_id == grants.c.grant_id,
            _living.c.revoked_at.is_(None),
            _living.c.used_at.is_(None),
            _theirs.c.ended_at.is_(None),
        )
        .correlate(grants)
        .scalar_subquery()
    )


RUNS_OUT_AT = _of_the_living(_living.c.expires_at)
_STANDING = (
    grants.c.user_id,
    grants.c.team_id,
    grants.c.environment,
    grants.c.client_id,
    ENDED_AT.label("over_at"),
    RUNS_OUT_AT.label("runs_out_at"),
    _of_the_living(_living.c.created_at).label("born_at"),
    *STANDING,
)


def with_standing(rows: FromClause, grant_id: ColumnElement[str], *columns: ColumnElement[Any]) -> Select[Any]:
    """
    Select *columns* and all that a `Standing` has, of the grant that each of *rows* names.

    Joined to the whole grant is its personal token as ``PERSONAL``: a row at most.
    """
    is_its_token = (PERSONAL.c.grant_id == grants.c.grant_id) & (PERSONAL.c.kind == "pat")
    return select(*columns, *_STANDING).select_from(with_whole_grant(rows, grant_id).outerjoin(PERSONAL, is_its_token))


def split_standing(row: Row) -> tuple[dict[str, Any], Standing]:
    """Return what a row of `with_standing` has beside the standing, and the standing."""
    names = Standing.__dataclass_fields__
    return {name: value for name, value in row.items() if name not in names}, Standing(**{n: row[n] for n in names})


_IS_DUE = expiries.c.look_at <= bindparam("now")
_ANY_DUE = select(expiries.c.grant_id).where(_IS_DUE).limit(1)
# Another node that is looking already has the row locked; it is left to that one.
_TAKE_DUE = (
    with_standing(expiries, expiries.c.grant_id, *expiries.c, PERSONAL.c.token_id, PERSONAL.c.last4)
    .where(_IS_DUE)
    .order_by(expiries.c.look_at, expiries.c.grant_id)
    .limit(bindparam("limit"))
    .with_for_update(of=expiries, skip_locked=True)
)
_ADD = upsert(expiries)
_WATCH = _ADD.on_conflict_do_update(
    index_elements=[expiries.c.grant_id],
    set_={"look_at": _ADD.excluded.look_at},
    where=expiries.c.look_at > _ADD.excluded.look_at,
)
_LOOK_SOON = (
    update(expiries)
    .where(
        expiries.c.grant_id.in_(select(families.c.grant_id).where(families.c.family_id == bindparam("the_family"))),
        expiries.c.look_at > bindparam("now"),
    )
    .values(look_at=bindparam("now"))
)
_LOOK_AGAIN = (
    update(expiries)
    .where(expiries.c.grant_id == bindparam("the_grant"))
    .values(ends_at=bindparam("the_end"), look_at=bindparam("next_at"))
)
_FORGET = delete(expiries).where(expiries.c.grant_id.in_(bindparam("grant_ids", expanding=True)))


async def watch(tx: Transaction, grant_id: str, ends_at: int, look_at: int) -> None:
    """
    Have somebody look at the grant's end at *look_at*, or earlier where that was asked for already.

    Args:
        ends_at: when it ends; 0 if that is not known yet.
    """
    await tx.run(_WATCH, grant_id=grant_id, ends_at=ends_at, look_at=look_at)


async def look_soon(tx: Transaction, family_id: str, now: int) -> None:
    """Have somebody look at once: a family has ended, and what is left of its grant may end sooner."""
    await tx.run(_LOOK_SOON, the_family=family_id, now=now)


async def is_any_due(reader: Reader, now: int) -> bool:
    """Tell whether there is a grant to look at."""
    return await reader.one(_ANY_DUE, now=now) is not None


async def take_due(tx: Transaction, now: int, limit: int) -> list[Expiry]:
    """Return up to *limit* grants to look at, and let no other node look at them until this transaction ends."""
    taken = [split_standing(row) for row in await tx.many(_TAKE_DUE, now=now, limit=limit)]
    return [Expiry(**row, standing=standing) for row, standing in taken]


async def look_again(tx: Transaction, moments: Mapping[str, tuple[int, int]]) -> None:
    """Keep when grants end, by their id, and when to look at them next."""
    rows = [{"the_grant": grant_id, "the_end": end, "next_at": next_at} for grant_id, (end, next_at) in moments.items()]
    await tx.run_all(_LOOK_AGAIN, rows)


async def forget(tx: Transaction, grant_ids: Sequence[str]) -> None:
    """Stop looking at these grants."""
    if grant_ids:
        await tx.run(_FORGET, grant_ids=grant_ids)
