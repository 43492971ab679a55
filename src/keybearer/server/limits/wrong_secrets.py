"""Failed client authentications, counted per client and address: guessing grows slow, and nobody is locked out."""

from typing import Final

from keybearer.server.clock import MINUTE, SECOND
from keybearer.server.rules.quota import draw

FAILURES_A_MINUTE: Final = 30
_MOST_KEPT: Final = 20_000


class WrongSecrets:
    """
    Remembers who failed how often; in memory, of bounded size.

    It is asked only after an authentication failed, so the right secret works during any attack, and a client id in
    the key keeps one broken client from silencing the others behind the same address.
    """

    def __init__(self, most_kept: int = _MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._full_at: dict[tuple[str, str], int] = {}

    def count(self, client_id: str, address: str, now: int) -> int:
        """
        Count one failure at *now* (microseconds).

        Returns:
            seconds to wait before the next try is answered in full; 0 while there were few.
        """
        key = (client_id[:64], address)
        # The newest stand last: what overflows is what failed longest ago.
        allowance = draw(FAILURES_A_MINUTE, MINUTE, self._full_at.pop(key, 0), now)
        self._full_at[key] = allowance.full_at
        if len(self._full_at) > self._most_kept:
            del self._full_at[next(iter(self._full_at))]
        return -(-allowance.retry_after // SECOND)
