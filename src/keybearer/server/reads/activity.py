"""What happened in a team, as far as the viewer may see it."""

from dataclasses import dataclass, replace
from typing import Final

import msgspec

from keybearer.audit.entries import ReadEntry, read_entry
from keybearer.server import refusals
from keybearer.server.records import ActivityFilter, Tally
from keybearer.server.store import activity_search
from keybearer.server.store.activity_search import NEWEST, TimeAndNumber
from keybearer.server.store.database import Reader, Row
from keybearer.wire.activity import Details

MOST_COUNTED: Final = 10_000
_SIGN_INS: Final = ("session.started", "session.confirmed", "session.refused")
_OF_EACH_KIND: Final = 10
SPOILT: Final[Details] = {"spoilt": ("", "")}  # details that open nothing which an entry has sealed
# What raw SQL leaves may be anything: no text, no JSON, JSON of another form, or nested without end.
_UNREADABLE: Final = (RecursionError, ValueError, msgspec.MsgspecError)

_entry: Final = msgspec.json.Decoder(ReadEntry).decode
_details: Final = msgspec.json.Decoder(dict[str, tuple[str, str]]).decode


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


class LogPlace(msgspec.Struct, frozen=True, gc=False):
    """Where in which log a record stands."""

    origin: str
    index: int


# A page has many, so how long it takes to make one counts: a fifth of a named tuple, if the fields go by position.
class Happening(msgspec.Struct, frozen=True, gc=False):
    """
    One record, opened; None where there is nothing to say, or where it was erased.

    Args:
        at: microseconds since 1970 UTC, by the clock of whoever reported it.
        place: None while the record is not numbered yet.
        entry: its bytes, which are what is signed.
        is_erased: something personal in it was erased.
        is_damaged: somebody spoilt it in the database; shown is what can be read, else the columns to search by.
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
    place: LogPlace | None
    entry: bytes
    is_erased: bool
    is_damaged: bool


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """Some of what happened, the newest first; *after* is where the older begin, None if there are none."""

    items: tuple[Happening, ...]
    after: TimeAndNumber | None


async def activity_page(
    reader: Reader, sight: Sight, wanted: ActivityFilter, before: TimeAndNumber | None, limit: int
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


def stored_details(row: Row) -> Details | None:
    """Return what is left of a record's details, None if all was erased; ``SPOILT`` if they cannot be read."""
    try:
        return None if row["details"] is None else _details(row["details"])
    except _UNREADABLE:
        return SPOILT


def _stored_entry(row: Row) -> ReadEntry | None:
    """Return what a record's entry says, None if it cannot be read."""
    written: bytes = row["entry"]
    try:
        return read_entry(written) if b"\\" in written else _entry(written)  # an escape may hide a NUL
    except _UNREADABLE:
        return None


def _opened(row: Row) -> Happening:
    """Take a record apart; whether it is the one that was signed is for the verifier to say."""
    entry, details = _stored_entry(row), stored_details(row)
    is_damaged = entry is None or details is SPOILT
    if entry is None:  # then nothing is known to be opened by the details
        entry, details = ReadEntry(v=1, at=row["at"], action=row["action"], outcome=row["outcome"]), None
    told = {field: text for field, (_, text) in details.items()} if details else {}
    is_erased = not is_damaged and bool(entry.sealed and entry.sealed.keys() - told.keys())
    return Happening(  # in the order of its fields
        row["activity_id"],
        row["at"],
        entry.action,
        entry.outcome,
        entry.reason,
        row["user_id"],
        entry.team,
        entry.environment,
        entry.client,
        entry.token,
        entry.token_last4,
        entry.method,
        entry.route,
        entry.status,
        entry.ms,
        entry.request_id,
        entry.reporter,
        told.get("address"),
        told.get("agent"),
        told.get("subject"),
        told.get("words"),
        LogPlace(row["origin"], row["log_index"]) if row["log_index"] is not None else None,
        row["entry"],
        is_erased,
        is_damaged,
    )
