"""What keeps a user from acting in a team for the moment, whatever they have let in."""

from typing import Protocol


class Suspendable(Protocol):
    """How a user and their team stand; times are microseconds since 1970 UTC."""

    @property
    def user_disabled_at(self) -> int | None:
        """Since when the user is disabled."""

    @property
    def team_archived_at(self) -> int | None:
        """Since when the team is archived."""

    @property
    def role(self) -> str | None:
        """The user's role in the team; None outside it."""

    @property
    def membership_expires_at(self) -> int | None:
        """When a time-limited role ends."""


def suspension_of(standing: Suspendable, now: int) -> str:
    """Say what keeps the user from acting in the team at *now*, for the log and the tests; '' if nothing does."""
    if standing.user_disabled_at is not None:
        return "user disabled"
    if standing.team_archived_at is not None:
        return "team archived"
    ends_at = standing.membership_expires_at
    return "user not in the team" if standing.role is None or (ends_at is not None and ends_at <= now) else ""
