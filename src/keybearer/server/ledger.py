"""The activity record of a change, kept in the change's own transaction; triggers write the feed event."""

from collections.abc import Iterable, Sequence

from keybearer.server.events import Activity, Actor
from keybearer.server.records import Grant
from keybearer.server.store import activity as rows
from keybearer.server.store.database import Transaction


async def record(tx: Transaction, actor: Actor, activity: Activity, now: int) -> None:
    """
    Keep that *actor* did what *activity* says, or nothing at all: it commits or rolls back with the change.

    Args:
        now: microseconds since 1970 UTC.
    """
    await rows.add_all(tx, [(actor, activity)], now)


async def record_all(tx: Transaction, made: Sequence[tuple[Actor, Activity]], now: int) -> None:
    """Keep what several actors did in one transaction; see `record`."""
    await rows.add_all(tx, made, now)


async def record_ended(tx: Transaction, actor: Actor, grants: Iterable[Grant], now: int) -> None:
    """Keep that these grants ended by what *actor* did."""
    for grant in grants:
        ended = Activity(
            "grant.ended",
            f"grant:{grant.grant_id}",
            team_id=grant.team_id,
            environment=grant.environment,
            client_id=grant.client_id,
            grant_id=grant.grant_id,
        )
        await record(tx, actor, ended, now)
