"""The activity log: which logs there are, and how it is searched."""

from dataclasses import dataclass
from typing import NamedTuple


class LogName(NamedTuple):
    """
    A log of activities, without its part.

    Args:
        kind: ``team``, ``user``, ``server``, or ``tree`` for the one over all the others.
        owner_id: the team's or user's number; 0 for the other two.
        month: ``2026-11``, by the server's clock in UTC; '' for the tree.
    """

    kind: str
    owner_id: int
    month: str


@dataclass(frozen=True, slots=True)
class ActivityLog:
    """
    One log as it stands.

    Args:
        part: from 1; the next one begins when this is frozen.
        root: of the tree over *size* records, 32 bytes.
        min_index: the first record that is still kept.
        frozen_why: why nothing is added to it or signed any more; None for a sound one.
    """

    log_id: int
    origin: str
    kind: str
    team_id: int | None
    user_id: int | None
    month: str
    part: int
    size: int
    root: bytes
    min_index: int
    frozen_at: int | None
    frozen_why: str | None

    @property
    def name(self) -> LogName:
        """The name that its parts share."""
        owner_id = {"team": self.team_id, "user": self.user_id}.get(self.kind)
        return LogName(self.kind, owner_id or 0, self.month)


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """
    Which records of a team's activity are wanted; None leaves a question open, but never which team.

    Args:
        since, until: microseconds since 1970 UTC, the latter not included.
    """

    team_id: int
    user_id: int | None = None
    token_id: str | None = None
    client_id: str | None = None
    action: str | None = None
    outcome: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records fell into one stretch of time; *others* were refused, or failed."""

    stretch: int
    done: int
    others: int
