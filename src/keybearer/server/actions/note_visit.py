"""Keep that a session is in use, and which team it works in when its own is lost."""

from keybearer.server.store import sessions
from keybearer.server.store.database import Transaction


async def note_visit(tx: Transaction, session_id: str, team_id: int | None, now: int) -> None:
    """
    Keep that the session is in use, and its active team: the one it has, or the next best after it was lost.

    Args:
        now: microseconds since 1970 UTC.
    """
    await sessions.see(tx, session_id, now)
    await sessions.switch_team(tx, session_id, team_id)
