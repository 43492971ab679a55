"""How long a sign-in waits after wrong passwords: a little longer each time, never for good."""

from typing import Final

from keybearer.server.records import Attempts
from keybearer.server.units import DAY, HOUR, MINUTE, SECOND

FREE: Final = 5
LONGEST: Final = 15 * MINUTE
# From here on an hour: fifteen minutes throughout would let a day hold more than a hundred guesses.
MANY: Final = 50
LONGEST_OF_MANY: Final = HOUR
FORGOTTEN_AFTER: Final = DAY


def wait_us(attempts: Attempts, now: int) -> int:
    """Return how long (microseconds) no password is looked at; 0 when one may be tried now."""
    return max(attempts.blocked_until - now, 0)


def with_failure(attempts: Attempts, now: int) -> Attempts:
    """
    Return the count after one more wrong password at *now*.

    The first five cost nothing; then the wait doubles from two seconds to fifteen minutes. A day without a failure,
    counted from the end of the wait, forgets them all.

    Source: NIST SP 800-63B-4 §3.2.2 (at most 100 consecutive failures; increasing waits).
    """
    was_long_ago = now - max(attempts.failed_at, attempts.blocked_until) >= FORGOTTEN_AFTER
    failures = 1 if was_long_ago else attempts.failures + 1
    return Attempts(failures, now, now + _delay(failures))


def _delay(failures: int) -> int:
    if failures < FREE:
        return 0
    if failures >= MANY:
        return LONGEST_OF_MANY
    doubled: int = 2 ** (failures - FREE + 1)
    return min(doubled * SECOND, LONGEST)
