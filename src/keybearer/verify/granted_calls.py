"""The calls that a verifier may let through without asking: granted by a node, counted here; no I/O, no clock."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from keybearer.wire.quota import MOST_WANTS, UNCOUNTED, Grant, Left, Terms, Want

MOST_KEPT: Final = 100_000
SHARE: Final = 20  # at most the limit divided by this is granted at once


@dataclass(slots=True)
class _Held:
    """What is held of one user's limit in one team; times are the verifier's own."""

    left: int = 0
    until: float = -math.inf  # all but one of them expire then
    remaining: int = 0  # at the node, when it granted these
    asked_at: float = -math.inf
    used: int = 0  # since then
    owed: int = 0  # let through without having been granted
    blocked_until: float = -math.inf


class GrantedCalls:
    """
    Holds granted calls by user and team, and says what to ask for.

    A call is let through only if it was granted before, so however many verifiers there are, and whatever answers are
    lost or come late, together they let no more through than the nodes took off the limit. Granted calls expire soon,
    except for one, which is kept: so an occasional call need not wait for an answer.

    While no node answers, a few calls are lent. They are paid back before anything else is let through, so that nobody
    is ever more than those few ahead of what was granted, however often the nodes come and go.

    It may be used from several threads.

    Args:
        most_kept: users' places in teams; when there are more, what is held longest is dropped, and is lost.
    """

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._terms = Terms(1, 1.0, 1.0)  # until a node says what they are
        self._limit = 1
        self._regained_a_second = 1.0
        self._held: dict[tuple[int, int], _Held] = {}
        self._wanted: dict[tuple[int, int], int] = {}
        self._uncounted_until = -math.inf
        self._lock = Lock()

    @property
    def is_wanting(self) -> bool:
        """Whether there is something to ask for."""
        return bool(self._wanted)

    @property
    def limit(self) -> int:
        """Calls in each window, as a node said last."""
        return self._limit

    def spend(self, user_id: int, team_id: int, now: float) -> Left | None:
        """
        Let one call through; None if none is held.

        Args:
            now: seconds, BOOTTIME.
        """
        key = (user_id, team_id)
        with self._lock:
            held = self._held.get(key)
            if held is None:
                return self._uncounted(now)
            left = held.left
            if left > 1 and now >= held.until:
                left = 1
            if left < 1:
                held.left = 0
                return self._uncounted(now)
            held.left = left = left - 1
            held.used += 1
            if left <= 1 and key not in self._wanted:
                self._wanted[key] = 0
            remaining = held.remaining + left + int((now - held.asked_at) * self._regained_a_second)
            return Left(self._limit, remaining if remaining < self._limit else self._limit - 1)

    def lend(self, user_id: int, team_id: int, now: float) -> Left | None:
        """
        Let one call through that nobody has granted, because nobody answers; the next grants pay it back.

        Returns:
            None where as many are owed as are granted at once, or a node has said that the limit is used up.
        """
        key = (user_id, team_id)
        with self._lock:
            if key not in self._held and len(self._held) >= self._most_kept:
                return None
            held, most = self._place(key), self._most_at_once
            if held.owed >= most or now < held.blocked_until:
                return None
            held.owed += 1
            self._wanted.setdefault(key, 0)
            return Left(self._limit, most - held.owed)

    def wait_s(self, user_id: int, team_id: int, now: float) -> float:
        """Return for how long, by a node's last word, nothing more will be granted; 0 if it is worth asking."""
        held = self._held.get((user_id, team_id))
        return max(0.0, held.blocked_until - now) if held else 0.0

    def want(self, user_id: int, team_id: int) -> None:
        """Note that a call waits for an answer of a node."""
        key = (user_id, team_id)
        with self._lock:
            self._wanted[key] = self._wanted.get(key, 0) + 1

    def wants(self, now: float) -> tuple[Want, ...]:
        """
        Return what to ask for now, in one question; the next must not be put before this one is answered or given up.

        Those for whom a call waits come first.
        """
        with self._lock:
            first = sorted(self._wanted, key=lambda key: self._wanted[key] == 0)[:MOST_WANTS]
            wanted = [(key, self._wanted.pop(key)) for key in first]
            return tuple(self._want(key, waiting, now) for key, waiting in wanted if not self._has(key, waiting, now))

    def take_in(self, terms: Terms, grants: Sequence[Grant], asked_at: float, now: float) -> None:
        """
        Take in what the last question brought.

        Args:
            asked_at: read before it was put: from here its calls live.
            now: seconds, BOOTTIME.
        """
        with self._lock:
            self._terms, self._limit, self._regained_a_second = terms, terms.limit, terms.limit / terms.window_s
            for grant in grants:
                held = self._place((grant.user_id, grant.team_id))
                # What was held before does not live longer because more has come, except for the one that is kept.
                is_more_than_one = held.left > 1 and now < held.until
                left = grant.calls + (held.left if is_more_than_one else min(held.left, 1))
                paid_back = min(held.owed, left)
                held.left, held.owed = left - paid_back, held.owed - paid_back
                held.until = min(held.until, asked_at + terms.life_s) if is_more_than_one else asked_at + terms.life_s
                held.asked_at, held.remaining, held.used = asked_at, grant.remaining, 0
                held.blocked_until = now + grant.wait_s

    def count_nothing(self, until: float) -> None:
        """Let calls through uncounted when none is held: the server does not count."""
        self._uncounted_until = until

    @property
    def _most_at_once(self) -> int:
        return max(1, self._terms.limit // SHARE)

    def _uncounted(self, now: float) -> Left | None:
        return UNCOUNTED if now < self._uncounted_until else None

    def _has(self, key: tuple[int, int], waiting: int, now: float) -> bool:
        """Tell whether enough has come for those who wait, since they began to."""
        held = self._held.get(key)
        return held is not None and now < held.until and held.left > max(1, waiting)

    def _want(self, key: tuple[int, int], waiting: int, now: float) -> Want:
        """Ask for what will be used during the life of a grant at the present rate, at most twice what was used."""
        held = self._held.get(key) or _Held()
        life_s, elapsed = self._terms.life_s, max(now - held.asked_at, 1e-6)
        foreseen = min(math.ceil(held.used * life_s / elapsed), 2 * held.used)
        return Want(*key, held.owed + min(max(1, foreseen, waiting), self._most_at_once))

    def _place(self, key: tuple[int, int]) -> _Held:
        held = self._held.get(key)
        if held is None:
            while len(self._held) >= self._most_kept:
                # Nobody gets rid of what is owed by being forgotten.
                free = next((place for place, held in self._held.items() if not held.owed), None)
                if free is None:
                    return _Held()  # kept nowhere: what is granted to it is lost
                del self._held[free]
            held = self._held[key] = _Held()
        return held
