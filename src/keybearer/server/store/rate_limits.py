"""What is used up of each user's limit in each team, and the clock by which it is regained."""

from collections.abc import Mapping

from sqlalchemy import Integer, and_, bindparam, case, delete, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from keybearer.server.store.database import Reader, Transaction
from keybearer.server.store.tables import memberships, rate_clock, rate_limits, teams

_READ = select(rate_clock.c.at, rate_clock.c.beats)
_BEAT = (
    update(rate_clock)
    .values(
        at=case(
            (
                and_(
                    rate_clock.c.at < bindparam("told"),
                    or_(bindparam("is_young", type_=Integer) == 1, rate_clock.c.beats == bindparam("seen")),
                ),
                bindparam("told"),
            ),
            else_=rate_clock.c.at,
        ),
        beats=rate_clock.c.beats + 1,
    )
    .returning(rate_clock.c.at, rate_clock.c.beats)
)
# Locks the row, which is there afterwards, unless there is no such place in a team of that environment.
_ADD = upsert(rate_limits).from_select(
    ["user_id", "team_id", "full_at"],
    select(memberships.c.user_id, memberships.c.team_id, literal(0))
    .join(teams, teams.c.team_id == memberships.c.team_id)
    .where(
        memberships.c.user_id == bindparam("user_id"),
        memberships.c.team_id == bindparam("team_id"),
        teams.c.environment == bindparam("environment"),
    ),
)
_LOCK = _ADD.on_conflict_do_update(
    index_elements=[rate_limits.c.user_id, rate_limits.c.team_id], set_={"full_at": rate_limits.c.full_at}
).returning(rate_limits.c.full_at)
_PUT = (
    update(rate_limits)
    .where(rate_limits.c.user_id == bindparam("the_user"), rate_limits.c.team_id == bindparam("the_team"))
    .values(full_at=bindparam("full_at"))
)
_FORGET = delete(rate_limits).where(rate_limits.c.full_at <= select(rate_clock.c.at).scalar_subquery())


async def read_clock(reader: Reader) -> tuple[int, int]:
    """Return the reading of the shared clock, in microseconds, and how many beats there were."""
    row = await reader.one(_READ)
    assert row is not None  # noqa: S101 - the migration put it there
    return row["at"], row["beats"]


async def move_clock(tx: Transaction, told: int, seen: int, *, is_young: bool) -> tuple[int, int]:
    """
    Move the shared clock on to *told* if that can be right; return its reading, and how many beats there were.

    Args:
        told: microseconds, by a node that measured them from a reading on.
        seen: how many beats there were at that reading; if there were none since, *told* is right.
        is_young: the reading is so young that *told* is right in any case.
    """
    row = await tx.one(_BEAT, told=told, is_young=int(is_young), seen=seen)
    assert row is not None  # noqa: S101 - the migration put it there
    return row["at"], row["beats"]


async def lock(tx: Transaction, user_id: int, team_id: int, environment: str) -> int | None:
    """
    Return when the limit of this user in this team is regained, which nobody else can change before the commit.

    Returns:
        microseconds of the shared clock; None if the user has never had a place in such a team.
    """
    row = await tx.one(_LOCK, user_id=user_id, team_id=team_id, environment=environment)
    return row["full_at"] if row else None


async def put(tx: Transaction, full_at: Mapping[tuple[int, int], int]) -> None:
    """Keep when limits, by user and team, are regained; their rows must be locked."""
    rows = [{"the_user": user_id, "the_team": team_id, "full_at": at} for (user_id, team_id), at in full_at.items()]
    await tx.run_all(_PUT, rows)


async def forget_regained(tx: Transaction) -> int:
    """Delete limits that are wholly regained; return how many rows."""
    return await tx.run(_FORGET)
