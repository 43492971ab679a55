"""What happened in a team, as far as the viewer may see it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import msgspec

from keybearer.server import refusals
from keybearer.server.records import ActivityFilter, Tally
from keybearer.server.store import activity_search
from keybearer.server.store.activity_search import NEWEST, Position
from keybearer.server.store.database import Reader, Row

MOST_COUNTED: Final = 10_000
_SIGN_INS: Final = ("session.started", "session.confirmed", "session.refused")
_OF_EACH_KIND: Final = 10


@dataclass(frozen=True, slots=True)
class Sight:
    """
    What a viewer may see of a team's activity.

    Args:
        user_id: only what this user did; None for whoever may see all.
        token_id: only what was done with this token; None for all.
    """

    team_id: int
    user_id: int | None
    token_id: str | None = None

    def narrow(self, wanted: ActivityFilter) -> ActivityFilter | None:
        """Return what of the *wanted* may be seen; None if that is nothing, whether there is such a thing or not."""
        if wanted.team_id != self.team_id:
            return None
        if self.user_id is not None and wanted.user_id not in {None, self.user_id}:
            return None
        if self.token_id is not None and wanted.token_id not in {None, self.token_id}:
            return None
        seen = replace(wanted, user_id=self.user_id) if self.user_id is not None else wanted
        return replace(seen, token_id=self.token_id) if self.token_id is not None else seen


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which log a record stands."""

    origin: str
    index: int


# A tuple with names: it is made in a fifth of the time of a frozen dataclass, and a page has many.
class Happening(NamedTuple):
    """
    One record, opened; None where there is nothing to say, or where it was erased.

    Args:
        at: microseconds since 1970 UTC, by the clock of whoever reported it.
        place: None while the record is not numbered yet.
        entry: its bytes, which are what is signed.
        details: what opens the entry's commitments, as far as it is left.
        is_erased: something personal in it was erased.
    """

    activity_id: int
    at: int
    action: str
    outcome: str
    reason: str | None
    user_id: int | None
    team_id: int | None
    environment: str | None
    client_id: str | None
    token_id: str | None
    token_last4: str | None
    method: str | None
    route: str | None
    status: int | None
    ms: int | None
    request_id: str | None
    reporter: str | None
    address: str | None
    agent: str | None
    subject: str | None
    words: str | None
    place: Place | None
    entry: bytes
    details: Mapping[str, list[str]] | None
    is_erased: bool


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """Some of what happened, the newest first; *after* is where the older begin, None if there are none."""

    items: tuple[Happening, ...]
    after: Position | None


async def activity_page(
    reader: Reader, sight: Sight, wanted: ActivityFilter, before: Position | None, limit: int
) -> ActivityPage:
    """Return the newest of what is *wanted* and may be seen, before a position that an earlier page gave."""
    seen = sight.narrow(wanted)
    if seen is None:
        return ActivityPage((), None)
    rows = await activity_search.newest(reader, seen, before or NEWEST, limit + 1)
    after = (rows[limit - 1]["at"], rows[limit - 1]["activity_id"]) if len(rows) > limit else None
    return ActivityPage(tuple(_opened(row) for row in rows[:limit]), after)


async def activity_record(reader: Reader, sight: Sight, activity_id: int) -> Happening:
    """
    Return one record.

    Raises:
        Refusal: ``not_found``: there is none, or it may not be seen.
    """
    seen = sight.narrow(ActivityFilter(sight.team_id))
    row = await activity_search.by_number(reader, seen, activity_id) if seen else None
    if row is None:
        raise refusals.not_found(f"no such activity of team {sight.team_id}")
    return _opened(row)


async def recent_sign_ins(reader: Reader, user_id: int) -> list[Happening]:
    """
    Return the latest sign-ins of a user, and the attempts with a wrong password, the newest first.

    Of each kind the newest ten, so that a thousand wrong guesses do not hide a sign-in that succeeded.
    """
    kinds = [await activity_search.newest_of_own(reader, user_id, action, _OF_EACH_KIND) for action in _SIGN_INS]
    found = [_opened(row) for rows in kinds for row in rows]
    return sorted(found, key=lambda each: (each.at, each.activity_id), reverse=True)


async def activity_tally(reader: Reader, sight: Sight, wanted: ActivityFilter, length: int) -> list[Tally]:
    """
    Count the newest 10,000 of what is *wanted* and may be seen, by stretches of time.

    Args:
        length: of a stretch, in microseconds.
    """
    seen = sight.narrow(wanted)
    return await activity_search.tally(reader, seen, length, MOST_COUNTED) if seen else []


def _opened(row: Row) -> Happening:
    """Take a record apart; whether its details fit its commitments is for the verifier to say."""
    written = bytes(row["entry"])
    entry: dict[str, Any] = msgspec.json.decode(written)
    details: dict[str, list[str]] = msgspec.json.decode(bytes(row["details"])) if row["details"] is not None else {}
    told = {field: detail[1] for field, detail in details.items()}
    return Happening(
        activity_id=row["activity_id"],
        at=row["at"],
        action=entry["action"],
        outcome=entry["outcome"],
        reason=entry.get("reason"),
        user_id=row["user_id"],
        team_id=entry.get("team"),
        environment=entry.get("environment"),
        client_id=entry.get("client"),
        token_id=entry.get("token"),
        token_last4=entry.get("token_last4"),
        method=entry.get("method"),
        route=entry.get("route"),
        status=entry.get("status"),
        ms=entry.get("ms"),
        request_id=entry.get("request_id"),
        reporter=entry.get("reporter"),
        address=told.get("address"),
        agent=told.get("agent"),
        subject=told.get("subject"),
        words=told.get("words"),
        place=Place(row["origin"], row["log_index"]) if row["log_index"] is not None else None,
        entry=written,
        details=details or None,
        is_erased=bool(entry.get("sealed", {}).keys() - told.keys()),
    )
