"""How many deliveries a node sends at once, and whose: what is slow or dead holds back nothing but its own."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from keybearer.server.records import DueWebhook

MOST_AT_ONCE: Final = 64
MOST_OF_TEAM: Final = 12
MOST_TO_ONE: Final = 4


class Shares:
    """Counts what is under way, by webhook and by team, and shares out what room there is."""

    def __init__(self) -> None:
        self._of_webhooks: Counter[str] = Counter()
        self._of_teams: Counter[int] = Counter()
        self.last = ""
        """The webhook with the greatest id that got a share last time: whoever comes after it is next."""

    @property
    def room(self) -> int:
        """How many more may be sent."""
        return MOST_AT_ONCE - self._of_teams.total()

    @property
    def busy_webhooks(self) -> list[str]:
        """Those that get no more for now."""
        return [webhook_id for webhook_id, count in self._of_webhooks.items() if count >= MOST_TO_ONE]

    @property
    def busy_teams(self) -> list[int]:
        """Those whose webhooks get no more for now."""
        return [team_id for team_id, count in self._of_teams.items() if count >= MOST_OF_TEAM]

    def begin(self, due: DueWebhook) -> None:
        """Count one that is under way from now on."""
        self._of_webhooks[due.webhook_id] += 1
        self._of_teams[due.team_id] += 1

    def end(self, due: DueWebhook) -> None:
        """Count one less."""
        self._of_webhooks -= Counter({due.webhook_id: 1})  # keeps what is above zero
        self._of_teams -= Counter({due.team_id: 1})

    def share_out(self, found: Sequence[DueWebhook]) -> dict[str, int]:
        """
        Return how many deliveries to take of which webhook, at least one in all.

        Of a team's webhooks, those come first that have least under way: a quick one beside many that hang.

        Args:
            found: not busy, of no busy team, and no more than there is room.
        """
        each, webhooks = self.room // len(found), Counter(due.team_id for due in found)
        left = {team_id: MOST_OF_TEAM - self._of_teams[team_id] for team_id in webhooks}
        shares: dict[str, int] = {}
        for due in sorted(found, key=lambda due: self._of_webhooks[due.webhook_id]):
            of_team = max(1, (MOST_OF_TEAM - self._of_teams[due.team_id]) // webhooks[due.team_id])
            share = min(each, of_team, left[due.team_id], MOST_TO_ONE - self._of_webhooks[due.webhook_id])
            left[due.team_id] -= share
            if share:
                shares[due.webhook_id] = share
        self.last = max(shares)
        return shares
