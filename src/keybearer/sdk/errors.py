"""The errors that a verifier raises, and the status with which an API answers each."""

import math

from keybearer.wire.denial import Denial, Reason


class InvalidToken(Exception):
    """
    The token is not accepted: answer 401.

    Args:
        denial: why; for the log, the caller is told only that it is not accepted.
    """

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.reason.value)
        self.denial = denial

    @property
    def reason(self) -> Reason:
        """The one reason, first found."""
        return self.denial.reason


class Unavailable(Exception):
    """
    Whether the token is good cannot be known at the moment: answer 503, so that the caller does not throw it away.

    Args:
        why: for the log.
        retry_after_s: what ``Retry-After`` says, whole seconds.
    """

    def __init__(self, why: str, retry_after_s: int = 1) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class RateLimited(Exception):
    """
    The token is good, but its user has called too often in its team: answer 429.

    Args:
        limit: calls, as announced.
        wait_s: seconds until another call is let through.
        now: seconds since 1970 UTC, by the wall clock.
    """

    def __init__(self, limit: int, wait_s: float, now: float) -> None:
        super().__init__("the rate limit is used up")
        self.limit = limit
        self.retry_after_s = max(1, math.ceil(wait_s))
        self.reset_at = math.ceil(now + wait_s)


class Forbidden(Exception):
    """
    The token is good, but does not allow this: answer 403.

    Args:
        permissions: all that were needed.
    """

    def __init__(self, *permissions: str) -> None:
        super().__init__(f"it needs {' '.join(permissions)}")
        self.permissions = permissions
