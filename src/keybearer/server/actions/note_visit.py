"""Keep that a session is in use, and that the team it worked in is lost."""

from keybearer.server.records import Session
from keybearer.server.store import sessions
from keybearer.server.store.database import Transaction


async def note_visit(tx: Transaction, session: Session, team_id: int | None, now: int) -> None:
    """
    Keep that the session is in use, and its active team where that is another than the one it had.

    Args:
        session: as it was read for this request; what another tab has chosen since stays.
        team_id: the team that its pages show.
        now: microseconds since 1970 UTC.
    """
    await sessions.see(tx, session.session_id, now)
    if team_id != session.team_id:
        await sessions.leave_lost_team(tx, session.session_id, session.team_id, team_id)
