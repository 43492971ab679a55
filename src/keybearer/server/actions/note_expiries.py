"""Look at what is about to end by itself, and have its users and teams told: each once before each of four moments."""

from typing import Final

from keybearer.server import ledger
from keybearer.server.activities import SERVER_ITSELF, Activity
from keybearer.server.notices import queue
from keybearer.server.records import Expiry, Notice
from keybearer.server.rules.expiry_notices import Look, look_at
from keybearer.server.store import expiries
from keybearer.server.store.database import Transaction

AT_ONCE: Final = 25


async def note_expiries(tx: Transaction, now: int) -> bool:
    """
    Look at up to ``AT_ONCE`` grants whose time has come at *now* (microseconds since 1970 UTC).

    What is told is recorded, put down for webhooks and for mail, and marked as told, in one transaction: a node that
    dies meanwhile leaves all of it to another, and none does it twice.

    Returns:
        Whether there may be more.
    """
    due = await expiries.take_due(tx, now, AT_ONCE)
    looks = [(expiry, look_at(expiry, now)) for expiry in due]
    told = [(expiry, look) for expiry, look in looks if look.notice]
    await expiries.forget(tx, [expiry.grant_id for expiry, look in looks if look.next_at is None])
    next_looks = {expiry.grant_id: (look.ends_at, look.next_at) for expiry, look in looks if look.next_at is not None}
    await expiries.look_again(tx, next_looks)
    await ledger.record_all(tx, [(SERVER_ITSELF, _activity(expiry, look)) for expiry, look in told], now)
    await queue.put_endings(tx, [_notice(expiry, look) for expiry, look in told], now)
    return len(due) == AT_ONCE


def _notice(expiry: Expiry, look: Look) -> Notice:
    return Notice(expiry.grant_id, expiry.standing.user_id, look.notice, look.ends_at, None)


def _activity(expiry: Expiry, look: Look) -> Activity:
    standing = expiry.standing
    return Activity(
        f"{'token' if standing.client_id is None else 'grant'}.{look.notice}",
        f"token:{expiry.token_id}" if standing.client_id is None else f"grant:{expiry.grant_id}",
        user_id=standing.user_id,
        team_id=standing.team_id,
        environment=standing.environment,
        client_id=standing.client_id,
        grant_id=expiry.grant_id,
        token_id=expiry.token_id,
        token_last4=expiry.last4,
        ends_at=look.ends_at,
    )
