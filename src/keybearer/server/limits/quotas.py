"""Calls counted per user and team, over all their tokens."""

from typing import Final

from keybearer.server.clock import SECOND
from keybearer.server.rules.quota import Allowance, draw
from keybearer.server.settings import Rate

_SWEEP_EVERY: Final = 10_000


class Quotas:
    """What each user has used up in each team; forgotten once it is regained."""

    def __init__(self, rate: Rate) -> None:
        calls, seconds = rate
        self._limit = calls
        self._window = seconds * SECOND
        self._full_at: dict[tuple[int, int], int] = {}
        self._draws = 0

    def draw(self, user_id: int, team_id: int, now: int) -> Allowance:
        """Count one call of this user in this team at *now* (microseconds)."""
        key = (user_id, team_id)
        allowance = draw(self._limit, self._window, self._full_at.get(key, 0), now)
        self._full_at[key] = allowance.full_at
        self._draws += 1
        if self._draws % _SWEEP_EVERY == 0:
            self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        return allowance
