"""Teams: each in one environment for good."""

from sqlalchemy import bindparam, insert, select, update

from keybearer.server.records import Team
from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import teams

_BY_ID = select(teams).where(teams.c.team_id == bindparam("team_id"))
_BY_IDENTIFIER = select(teams).where(teams.c.identifier == bindparam("identifier"))
_IDENTIFIERS = select(teams.c.identifier).where(
    (teams.c.identifier == bindparam("identifier")) | teams.c.identifier.startswith(bindparam("followed"))
)
# The team's key stays as it is, so nobody who adds a row that names the team waits: two that wait for one another's
# rows (a consent for the team, who removes its user for their membership) would wait in a circle.
_LOCK = _BY_ID.with_for_update(key_share=True)
_ADD = insert(teams).returning(*teams.c)
_SET_CONTACT = (
    update(teams)
    .where(teams.c.team_id == bindparam("the_team"))
    .values(contact=bindparam("contact"), telephone=bindparam("telephone"), updated_at=bindparam("now"))
)


async def by_team_id(reader: Reader, team_id: int) -> Team | None:
    """Return the team of this id; None if there is none."""
    row = await reader.one(_BY_ID, team_id=team_id)
    return Team(**row) if row else None


async def lock(tx: Transaction, team_id: int) -> Team | None:
    """Return the team, and let no other transaction that locks it proceed until this one ends."""
    row = await tx.one(_LOCK, team_id=team_id)
    return Team(**row) if row else None


async def by_identifier(reader: Reader, identifier: str) -> Team | None:
    """Return the team of this slug; None if there is none."""
    row = await reader.one(_BY_IDENTIFIER, identifier=identifier)
    return Team(**row) if row else None


async def identifiers_like(reader: Reader, identifier: str) -> frozenset[str]:
    """Return the slugs in use that are this one, or this one with a hyphen and more behind it."""
    rows = await reader.many(_IDENTIFIERS, identifier=identifier, followed=f"{identifier}-")
    return frozenset(row["identifier"] for row in rows)


async def add(tx: Transaction, values: dict[str, object]) -> Team:
    """
    Add a team with the columns in *values*.

    Raises:
        Conflict: ``uq_teams_identifier``: the slug is taken.
    """
    row = await tx.one(_ADD, **values)
    assert row is not None  # noqa: S101 - INSERT … RETURNING gives its row
    return Team(**row)


async def set_contact(tx: Transaction, team_id: int, contact: str, telephone: str | None, now: int) -> None:
    """Change how the team is reached."""
    await tx.run(_SET_CONTACT, the_team=team_id, contact=contact, telephone=telephone, now=now)
