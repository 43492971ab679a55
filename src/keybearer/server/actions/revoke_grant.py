"""Cut off what acts in a user's name: a personal token, or an app."""

from dataclasses import dataclass

from keybearer.server import ledger, refusals
from keybearer.server.activities import Actor
from keybearer.server.notices import queue
from keybearer.server.records import Grant
from keybearer.server.store import grants
from keybearer.server.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Reach:
    """
    Whose grants somebody may end: their own in every team, and everybody's in a team that they manage.

    Args:
        managed_team_id: the team in which the viewer may manage members; None for none.
    """

    user_id: int
    managed_team_id: int | None


async def revoke_grant(tx: Transaction, actor: Actor, grant_id: str, reach: Reach, now: int) -> Grant:
    """
    End a grant, and with it every code and token below it, from the very next call.

    Doing it twice changes nothing more.

    Args:
        now: microseconds since 1970 UTC.

    Raises:
        Refusal: ``not_found``: there is none within *reach*.
    """
    grant = await grants.by_grant_id(tx, grant_id)
    if grant is None or (grant.user_id != reach.user_id and grant.team_id != reach.managed_team_id):
        raise refusals.not_found(f"no such grant within reach of user {reach.user_id}")
    ended = await grants.end(tx, grant_id, now)
    if ended is None:
        return grant
    await ledger.record_ended(tx, actor, [ended], now)
    await queue.put_revoked(tx, actor, [ended], now)
    return ended
