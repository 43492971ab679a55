"""Writes the activity record of a change in the change's own transaction, and has webhooks told."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from keybearer.server.activities import Activity, Actor
from keybearer.server.records import Grant
from keybearer.server.store import activity as rows
from keybearer.server.store.database import Transaction
from keybearer.server.webhooks import outbox
from keybearer.wire.activity import Entry, entry_bytes, seal


async def record(tx: Transaction, actor: Actor, activity: Activity, now: int) -> None:
    """
    Keep that *actor* did what *activity* says, or nothing at all: it commits or rolls back with the change.

    Args:
        now: microseconds since 1970 UTC.
    """
    await record_all(tx, [(actor, activity)], now)


async def record_all(tx: Transaction, made: Sequence[tuple[Actor, Activity]], now: int) -> None:
    """Keep what several actors did in one transaction, and have their teams' webhooks told; see `record`."""
    tx.done += [activity.action for _, activity in made]
    await rows.add_all(tx, [_row(actor, activity, now) for actor, activity in made])
    await outbox.put(tx, made, now)


async def record_ended(tx: Transaction, actor: Actor, grants: Iterable[Grant], now: int) -> None:
    """Keep that these grants ended by what *actor* did."""
    await record_all(tx, [(actor, grant_activity("grant.ended", grant)) for grant in grants], now)


def user_activity(action: str, user_id: int) -> Activity:
    """Return the record of an *action* on a user's own account, which counts as theirs, whoever did it."""
    return Activity(action, f"user:{user_id}", user_id=user_id)


def grant_activity(action: str, grant: Grant) -> Activity:
    """Return the record of an *action* on a grant; whose doing it is, the actor says."""
    return Activity(
        action,
        f"grant:{grant.grant_id}",
        team_id=grant.team_id,
        environment=grant.environment,
        client_id=grant.client_id,
        grant_id=grant.grant_id,
    )


def _row(actor: Actor, activity: Activity, now: int) -> dict[str, Any]:
    """Return the row of a change; what is personal in it stands in the details alone."""
    user_id = activity.user_id if activity.user_id is not None else actor.user_id
    personal = {
        "user": "" if user_id is None else str(user_id),
        "address": actor.address,
        "agent": actor.agent,
        "subject": activity.subject,
        "words": activity.words,
    }
    sealed, details = seal({field: value for field, value in personal.items() if value}, secrets.token_bytes)
    entry = Entry(
        at=now,
        action=activity.action,
        outcome=activity.outcome,
        reason=activity.reason,
        team=activity.team_id,
        environment=activity.environment,
        client=activity.client_id or actor.client_id,
        grant=activity.grant_id,
        token=activity.token_id or actor.token_id,
        token_last4=activity.token_last4 or actor.token_last4,
        request_id=actor.request_id or None,
        sealed=sealed or None,
    )
    return rows.row_of(entry, entry_bytes(entry), details, now)
