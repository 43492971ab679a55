"""Grants and the families of codes and tokens that each consent starts under one."""

from sqlalchemy import bindparam, insert, select, update

from keybearer.server.records import Family, Grant
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import families, grants

COLUMNS = [column for column in grants.c if column.name != "name_key"]

_BY_ID = select(*COLUMNS).where(grants.c.grant_id == bindparam("grant_id"))
_OF_APP = select(*COLUMNS).where(
    grants.c.user_id == bindparam("user_id"),
    grants.c.team_id == bindparam("team_id"),
    grants.c.client_id == bindparam("client_id"),
    grants.c.ended_at.is_(None),
)
_ADD = insert(grants)
_END = (
    update(grants)
    .where(grants.c.grant_id == bindparam("the_grant"), grants.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
    .returning(*COLUMNS)
)
_END_OF_MEMBER = (
    update(grants)
    .where(
        grants.c.user_id == bindparam("the_user"),
        grants.c.team_id == bindparam("the_team"),
        grants.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("now"))
    .returning(*COLUMNS)
)
_END_OF_CLIENT = (
    update(grants)
    .where(grants.c.client_id == bindparam("the_client"), grants.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
    .returning(*COLUMNS)
)
_END_OF_USER = (
    update(grants)
    .where(grants.c.user_id == bindparam("the_user"), grants.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
    .returning(*COLUMNS)
)
_FAMILY = select(families).where(families.c.family_id == bindparam("family_id"))
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
    await tx.run(
        _ADD,
        grant_id=grant.grant_id,
        user_id=grant.user_id,
        team_id=grant.team_id,
        environment=grant.environment,
        client_id=grant.client_id,
        name=grant.name,
        name_key=name_key,
        created_at=grant.created_at,
        ended_at=None,
    )


async def end(tx: Transaction, grant_id: str, now: int) -> Grant | None:
    """End the grant; None if it had ended already."""
    row = await tx.one(_END, the_grant=grant_id, now=now)
    return Grant(**row) if row else None


async def end_of_member(tx: Transaction, team_id: int, user_id: int, now: int) -> list[Grant]:
    """End every grant by which something acts as this user in this team; return those that ended."""
    return [Grant(**row) for row in await tx.many(_END_OF_MEMBER, the_team=team_id, the_user=user_id, now=now)]


async def end_of_client(tx: Transaction, client_id: str, now: int) -> list[Grant]:
    """End every grant of this app; return those that ended."""
    return [Grant(**row) for row in await tx.many(_END_OF_CLIENT, the_client=client_id, now=now)]


async def end_of_user(tx: Transaction, user_id: int, now: int) -> list[Grant]:
    """End every grant of this user in every team; return those that ended."""
    return [Grant(**row) for row in await tx.many(_END_OF_USER, the_user=user_id, now=now)]


async def family(reader: Reader, family_id: str) -> Family | None:
    """Return the family of this id, ended or not."""
    row = await reader.one(_FAMILY, family_id=family_id)
    return Family(**row) if row else None


async def add_family(tx: Transaction, started: Family) -> None:
    """Keep the family that a consent started."""
    await tx.run(
        _ADD_FAMILY,
        family_id=started.family_id,
        grant_id=started.grant_id,
        narrowing=started.narrowing,
        scope=started.scope,
        created_at=started.created_at,
        expires_at=started.expires_at,
        ended_at=None,
    )


async def end_family(tx: Transaction, family_id: str, now: int) -> bool:
    """End the family with its code and tokens; False if it had ended already."""
    return await tx.run(_END_FAMILY, the_family=family_id, now=now) == 1
