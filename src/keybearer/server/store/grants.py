"""Grants and the families of codes and tokens that each consent starts under one."""

from collections.abc import Sequence

from sqlalchemy import bindparam, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from keybearer.server.records import Family, FamilyStanding, Grant
from keybearer.server.store import expiries
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.rows import as_row, total
from keybearer.server.store.tables import clients, families, grants, tokens
from keybearer.server.store.whole_grants import ENDED_AT, STANDING, with_whole_grant

COLUMNS = [column for column in grants.c if column.name not in {"name_key", "ended_with"}]

_BY_ID = select(*COLUMNS).where(grants.c.grant_id == bindparam("grant_id"))
_OF_APP = select(*COLUMNS).where(
    grants.c.user_id == bindparam("user_id"),
    grants.c.team_id == bindparam("team_id"),
    grants.c.client_id == bindparam("client_id"),
    grants.c.ended_at.is_(None),
)
_EVER_OF_CLIENT = select(grants.c.grant_id).where(grants.c.client_id == bindparam("client_id")).limit(1)
_ADD = insert(grants)
# The update changes nothing: it locks the live row and returns it, so that nobody ends it before this transaction ends.
_ENSURE_OF_APP = (
    upsert(grants)
    .on_conflict_do_update(
        index_elements=[grants.c.user_id, grants.c.team_id, grants.c.client_id],
        index_where=grants.c.ended_at.is_(None) & grants.c.client_id.is_not(None),
        set_={"created_at": grants.c.created_at},
    )
    .returning(*COLUMNS)
)
_END = (
    update(grants)
    .where(grants.c.grant_id == bindparam("the_grant"), grants.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
    .returning(*COLUMNS)
)
_END_LIFELESS = (
    update(grants)
    .where(
        grants.c.user_id == bindparam("the_user"),
        grants.c.team_id == bindparam("the_team"),
        grants.c.name_key == bindparam("the_name"),
        grants.c.client_id.is_(None),
        grants.c.ended_at.is_(None),
        ~exists().where(
            tokens.c.grant_id == grants.c.grant_id,
            tokens.c.revoked_at.is_(None),
            tokens.c.expires_at > bindparam("now"),
        ),
    )
    .values(ended_at=bindparam("now"))
)
_PERSONAL_TOTAL = select(func.count().label("total")).where(
    grants.c.user_id == bindparam("user_id"),
    grants.c.team_id == bindparam("team_id"),
    grants.c.client_id.is_(None),
    grants.c.ended_at.is_(None),
)
# A deleted client has ended its grants already, all at once.
_IS_LIVE = grants.c.ended_at.is_(None) & ~exists().where(
    clients.c.client_id == grants.c.client_id, clients.c.deleted_at.is_not(None)
)
_END_OF_MEMBER = (
    update(grants)
    .where(grants.c.user_id == bindparam("the_user"), grants.c.team_id == bindparam("the_team"), _IS_LIVE)
    .values(ended_at=bindparam("now"), ended_with="membership")
    .returning(*COLUMNS)
)
_END_OF_USER = (
    update(grants)
    .where(grants.c.user_id == bindparam("the_user"), _IS_LIVE)
    .values(ended_at=bindparam("now"), ended_with="user")
    .returning(*COLUMNS)
)
_STANDING = (
    select(
        families,
        grants.c.user_id,
        grants.c.team_id,
        grants.c.environment,
        ENDED_AT.label("grant_ended_at"),
        *STANDING,
    )
    .select_from(with_whole_grant(families, families.c.grant_id))
    .where(families.c.family_id.in_(bindparam("family_ids", expanding=True)))
)
FAMILY_LIVES = families.c.ended_at.is_(None) & (families.c.expires_at > bindparam("now"))
_LIVE_FAMILIES = select(families).where(families.c.grant_id == bindparam("grant_id"), FAMILY_LIVES)
_ADD_FAMILY = insert(families)
_END_FAMILY = (
    update(families)
    .where(families.c.family_id == bindparam("the_family"), families.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)


async def by_grant_id(reader: Reader, grant_id: str) -> Grant | None:
    """Return the grant of this id, ended or not; None if there is none."""
    row = await reader.one(_BY_ID, grant_id=grant_id)
    return Grant(**row) if row else None


async def of_app(reader: Reader, user_id: int, team_id: int, client_id: str) -> Grant | None:
    """Return the live grant by which the user lets the app into the team; None if there is none."""
    row = await reader.one(_OF_APP, user_id=user_id, team_id=team_id, client_id=client_id)
    return Grant(**row) if row else None


async def add(tx: Transaction, grant: Grant, name_key: str | None) -> None:
    """
    Keep a new grant.

    Args:
        name_key: the form in which two names of personal tokens are compared; None for an app's grant.

    Raises:
        Conflict: ``uq_grants_user_id_team_id_client_id`` or ``…_name_key``: there is a live one.
    """
    await tx.run(_ADD, **as_row(grant), name_key=name_key)


async def ensure_of_app(tx: Transaction, grant: Grant) -> Grant:
    """
    Keep a new grant of an app, or return the live one that is there: of two consents at once, one is first.

    Args:
        grant: with a client.
    """
    assert grant.client_id is not None  # noqa: S101 - a personal token's grant is never shared
    row = await tx.one(
        _ENSURE_OF_APP,
        grant_id=grant.grant_id,
        user_id=grant.user_id,
        team_id=grant.team_id,
        environment=grant.environment,
        client_id=grant.client_id,
        created_at=grant.created_at,
    )
    assert row is not None  # noqa: S101 - it is there, ours or the other's
    return Grant(**row)


async def was_ever_given(reader: Reader, client_id: str) -> bool:
    """Tell whether any user has ever let this app in."""
    return await reader.one(_EVER_OF_CLIENT, client_id=client_id) is not None


async def end(tx: Transaction, grant_id: str, now: int) -> Grant | None:
    """End the grant; None if it had ended already."""
    row = await tx.one(_END, the_grant=grant_id, now=now)
    return Grant(**row) if row else None


async def free_name(tx: Transaction, user_id: int, team_id: int, name_key: str, now: int) -> None:
    """End the personal token's grant of this name if its token has expired, so that the name may be used again."""
    await tx.run(_END_LIFELESS, the_user=user_id, the_team=team_id, the_name=name_key, now=now)


async def count_personal(tx: Transaction, user_id: int, team_id: int) -> int:
    """Return how many personal tokens the user has in the team; expired ones count until they are deleted."""
    return await total(tx, _PERSONAL_TOTAL, user_id=user_id, team_id=team_id)


async def end_of_member(tx: Transaction, team_id: int, user_id: int, now: int) -> list[Grant]:
    """
    End every grant by which something acts as this user in this team; return those that ended.

    The membership must change in the same transaction: its event tells the verifiers of all of them at once.
    """
    return [Grant(**row) for row in await tx.many(_END_OF_MEMBER, the_team=team_id, the_user=user_id, now=now)]


async def end_of_user(tx: Transaction, user_id: int, now: int) -> list[Grant]:
    """
    End every grant of this user in every team; return those that ended.

    The user must be cut off in the same transaction (`users.cut_off`), as with `end_of_member`.
    """
    return [Grant(**row) for row in await tx.many(_END_OF_USER, the_user=user_id, now=now)]


async def standings(reader: Reader, family_ids: Sequence[str]) -> dict[str, FamilyStanding]:
    """Return families by id, each with what decides whether anybody may act by it, as one snapshot."""
    rows = await reader.many(_STANDING, family_ids=family_ids)
    return {row["family_id"]: FamilyStanding(**row) for row in rows}


async def live_families(reader: Reader, grant_id: str, now: int) -> list[Family]:
    """Return the grant's families that have not ended at *now*."""
    return [Family(**row) for row in await reader.many(_LIVE_FAMILIES, grant_id=grant_id, now=now)]


async def add_family(tx: Transaction, started: Family) -> None:
    """Keep the family that a consent started."""
    await tx.run(_ADD_FAMILY, **as_row(started))


async def end_family(tx: Transaction, family_id: str, now: int) -> bool:
    """End the family with its code and tokens; False if it had ended already."""
    if not await tx.run(_END_FAMILY, the_family=family_id, now=now):
        return False
    await expiries.look_soon(tx, family_id, now)
    return True
