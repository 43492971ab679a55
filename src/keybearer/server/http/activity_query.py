"""Queries of the activity log: their filters, and the cursor that leads to older records."""

import base64
import hmac
import re
import struct
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Final

from keybearer.server import refusals
from keybearer.server.clock import SECOND
from keybearer.server.http.forms import Form
from keybearer.server.reads.activity import Sight
from keybearer.server.records import ActivityFilter
from keybearer.server.refusals import Refusal
from keybearer.wire.activity_keys import OUTCOMES

FILTERS: Final = ("user", "token", "client", "action", "outcome", "from", "to")

_USER: Final = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)
_IDENTIFIER: Final = re.compile(r"[!-~]{1,64}")
_ACTION: Final = re.compile(r"[a-z][a-z0-9_.]{0,127}", re.ASCII)
_OUTCOME: Final = re.compile("|".join(OUTCOMES))
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)Z?)?", re.ASCII)
_CURSOR: Final = struct.Struct(">qq16s")


def filter_of(query: Form, team_id: int) -> ActivityFilter:
    """
    Return which records of the team a query asks for; a filter that is not there leaves its question open.

    Raises:
        Refusal: ``invalid``: names every filter that is malformed, empty or repeated.
    """
    wrong: list[Refusal] = []
    user = _matched(query, "user", _USER, "The user must be one person's id, a whole number.", wrong)
    wanted = ActivityFilter(
        team_id,
        user_id=int(user) if user else None,
        token_id=_matched(query, "token", _IDENTIFIER, "The token must be one token's id.", wrong),
        client_id=_matched(query, "client", _IDENTIFIER, "The client must be one client ID.", wrong),
        action=_matched(query, "action", _ACTION, "The action must be one action's name, as in token.created.", wrong),
        outcome=_matched(query, "outcome", _OUTCOME, f"The outcome must be one of {', '.join(OUTCOMES)}.", wrong),
        since=_time(query, "from", wrong, as_end=False),
        until=_time(query, "to", wrong, as_end=True),
    )
    if wrong:
        raise refusals.all_invalid(wrong)
    return wanted


class Cursors:
    """
    Writes and reads cursors: where a page ended, for that viewer and that query alone.

    Args:
        key: the same on all nodes, and for nothing else.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def text(self, sight: Sight, wanted: ActivityFilter, viewer_id: int, position: tuple[int, int]) -> str:
        """Write the cursor to what is older than *position*."""
        return _base64(_CURSOR.pack(*position, self._mac(sight, wanted, viewer_id, position)))

    def position(self, sight: Sight, wanted: ActivityFilter, viewer_id: int, text: str) -> tuple[int, int]:
        """
        Return the position that a cursor leads to.

        Raises:
            Refusal: ``invalid``: it was altered, or is another viewer's, team's or query's.
        """
        try:
            at, activity_id, mac = _CURSOR.unpack(base64.urlsafe_b64decode(text.encode("ascii") + b"=="))
        except (ValueError, struct.error) as error:
            raise _another_cursor() from error
        position = (at, activity_id)
        is_own = hmac.compare_digest(mac, self._mac(sight, wanted, viewer_id, position))
        if not is_own or self.text(sight, wanted, viewer_id, position) != text:
            raise _another_cursor()
        return position

    def _mac(self, sight: Sight, wanted: ActivityFilter, viewer_id: int, position: tuple[int, int]) -> bytes:
        bound = repr((astuple(sight), astuple(wanted), viewer_id, position)).encode()
        return hmac.digest(self._key, bound, "sha256")[:16]


def cursor_of(query: Form) -> str | None:
    """
    Return the query's cursor.

    Raises:
        Refusal: ``invalid``: there are two.
    """
    values = query.all("cursor")
    if len(values) > 1:
        raise _another_cursor()
    return values[0] if values else None


def _another_cursor() -> Refusal:
    public = (
        "The cursor is not one of this query. Send it as it was given, with the filters that it was given for, "
        "and as the same user in the same team."
    )
    return refusals.invalid("cursor", public, "cursor: not of this query")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _matched(query: Form, name: str, form: re.Pattern[str], public: str, wrong: list[Refusal]) -> str | None:
    """Return the filter's only value; one that has not its form is added to *wrong*."""
    values = query.all(name)
    if not values:
        return None
    if len(values) == 1 and form.fullmatch(values[0]):
        return values[0]
    wrong.append(refusals.invalid(name, public))
    return None


def _time(query: Form, name: str, wrong: list[Refusal], *, as_end: bool) -> int | None:
    """Return a moment, microseconds since 1970 UTC; a day alone is its beginning or, *as_end*, the next day's."""
    public = f"“{name}” must be one day or one time in UTC, as in 2026-11-25 or 2026-11-25T12:00:00Z."
    text = _matched(query, name, _TIME, public, wrong)
    if text is None:
        return None
    try:
        day = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
        moment = day + timedelta(days=1) if as_end and len(text) == len("2026-11-25") else day
        return int(moment.timestamp()) * SECOND
    except (ValueError, OverflowError):
        wrong.append(refusals.invalid(name, public))
        return None
