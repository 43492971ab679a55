"""Reads a refresh token for the client that asks about it."""

from dataclasses import dataclass

from keybearer.server import secrets
from keybearer.server.clock import SECOND
from keybearer.server.rules.refresh_family import Verdict, judge
from keybearer.server.store import tokens
from keybearer.server.store.database import Reader


@dataclass(frozen=True, slots=True)
class ActiveRefresh:
    """
    A refresh token that could be used now.

    Args:
        scope: '' where it follows the user's role.
        expires_at: microseconds since 1970 UTC.
    """

    user_id: int
    team_id: int
    scope: str
    expires_at: int


async def active_refresh(reader: Reader, text: str, client_id: str, now: int) -> ActiveRefresh | None:
    """
    Return the refresh token of this *text*, if this client could trade it now; a token that was used is not active.

    Args:
        now: microseconds since 1970 UTC.
    """
    held = await tokens.held_refresh(reader, secrets.digest(text))
    if held is None or judge(held, client_id, now).verdict is not Verdict.ROTATE:
        return None
    ends_at = min(held.expires_at, held.family_expires_at)
    return ActiveRefresh(held.user_id, held.team_id, held.scope, ends_at // SECOND * SECOND)
