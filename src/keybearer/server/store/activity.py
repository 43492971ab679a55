"""The rows of the activity log."""

from collections.abc import Sequence

from sqlalchemy import insert

from keybearer.server.events import Activity, Actor
from keybearer.server.store.database import Transaction
from keybearer.server.store.tables import activity_records

_ADD = insert(activity_records)


async def add_all(tx: Transaction, made: Sequence[tuple[Actor, Activity]], at: int) -> None:
    """Keep one record for each change, made at *at* (microseconds since 1970 UTC) by its actor."""
    await tx.run_all(_ADD, [_row(actor, activity, at) for actor, activity in made])


def _row(actor: Actor, activity: Activity, at: int) -> dict[str, object]:
    return {
        "at": at,
        "action": activity.action,
        "outcome": activity.outcome,
        "user_id": activity.user_id if activity.user_id is not None else actor.user_id,
        "team_id": activity.team_id,
        "environment": activity.environment,
        "client_id": activity.client_id or actor.client_id,
        "grant_id": activity.grant_id,
        "token_id": activity.token_id or actor.token_id,
        "token_last4": activity.token_last4 or actor.token_last4,
        "subject": activity.subject,
        "request_id": actor.request_id,
        "address": actor.address,
    }
