"""Which log a record belongs to, and what that log is called."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from keybearer.server.records import ActivityLog, LogName
from keybearer.server.units import DAY, SECOND

# What concerns the server as a whole, even where a user did it in a team.
_SERVERS_NOUNS: Final = frozenset({"resource_server", "operator", "policy", "activity"})

KEPT_AT_LEAST_DAYS: Final = 31  # the setting takes no fewer, so what is missing of a younger month was never pruned
TREE: Final = LogName("tree", 0, "")
_TREES_ORIGIN: Final = re.compile(r"[^/]+/activity/tree/([0-9]+)")
_ORIGIN: Final = re.compile(r"[^/]+/activity/(team|user|server)(?:/([0-9]+))?/([0-9]{4}-[0-9]{2})(?:\.([0-9]+))?")


def log_of(action: str, team_id: int | None, user_id: int | None, received_at: int) -> LogName:
    """
    Return the log of a record: its team's, else its user's, else the server's.

    The month is that in which the record came in, so that a log is done with when its month is over.

    Args:
        received_at: microseconds since 1970 UTC.
    """
    return _log_of_day(action, team_id, user_id, received_at // DAY)


@lru_cache(1_024)  # records come by the thousand, of few teams and in one day
def _log_of_day(action: str, team_id: int | None, user_id: int | None, day: int) -> LogName:
    month = month_of(day * DAY)
    if action.partition(".")[0] not in _SERVERS_NOUNS:
        if team_id is not None:
            return LogName("team", team_id, month)
        if user_id is not None:
            return LogName("user", user_id, month)
    return LogName("server", 0, month)


def month_of(at: int) -> str:
    """Return the month of a time (microseconds since 1970 UTC), as ``2026-11``."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m")


def may_be_pruned(month: str, now: int) -> bool:
    """Tell whether a month has been over for so long that its records may be deleted, whatever is set."""
    return month < month_of(now - KEPT_AT_LEAST_DAYS * DAY)


def base_origin(issuer: str) -> str:
    """Return what all our logs' names begin with, which is the name of the tree over them; it has no scheme."""
    return f"{urlsplit(issuer).netloc}/activity"


def base_of(origin: str) -> str:
    """Return the name of the server's tree that a log's own name begins with."""
    host, mark, _ = origin.partition("/activity")
    return host + mark


def origin_of(base: str, name: LogName, part: int) -> str:
    """
    Return a log's own name.

    Args:
        base: see `base_origin`.
        part: from 1; a log that was frozen goes on in the next one.

    Returns:
        ``auth.example.com/activity/team/7/2026-11``, or ``….2`` for the second part of it.

    Source: C2SP tlog-checkpoint (an origin is a URL without a scheme).
    """
    if name.kind == "tree":
        return base if part == 1 else f"{base}/tree/{part}"
    owner = f"/{name.owner_id}" if name.owner_id else ""
    return f"{base}/{name.kind}{owner}/{name.month}" + (f".{part}" if part > 1 else "")


def named_by(origin: str) -> tuple[LogName, int]:
    """Return which log, and which part of it, has this name of ours; of every other name, the tree."""
    if found := _TREES_ORIGIN.fullmatch(origin):
        return TREE, int(found[1])
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        return TREE, 1
    kind, owner, month, part = found.groups()
    return LogName(kind, int(owner or 0), month), int(part or 1)


def why_misnamed(log: ActivityLog) -> str:
    """Say so if what stands beside a log's name, by which logs are found and pruned, is not what the name says."""
    base = "/".join(log.origin.split("/", 2)[:2])
    is_right = log.origin == origin_of(base, log.name, log.part)
    return "" if is_right else "its name says another kind, owner, month or part than stands beside it"
