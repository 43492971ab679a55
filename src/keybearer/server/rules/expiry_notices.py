"""When a user is told that a token or an app ends, and when it is too late to tell."""

from dataclasses import dataclass
from typing import Final

from keybearer.server.records import Expiry, Standing
from keybearer.server.rules.suspension import suspension_of
from keybearer.server.units import DAY, HOUR, MINUTE

BEFORE: Final = (30 * DAY, 7 * DAY, DAY, 0)
# A node whose clock is behind may still refresh an app that another saw end: its end is told once that cannot be.
_BEFORE_OF_APPS: Final = (*BEFORE[:-1], -HOUR)
# An end that is longer ago, because the server was down, is told to nobody; nor is what could not be mailed since then.
NEWS_FOR: Final = 7 * DAY
# A mail waits for others to the same user: what was made in one sitting ends in one.
GATHERED_FOR: Final = 10 * MINUTE
_RETRIES: Final = (MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR)


@dataclass(frozen=True, slots=True)
class Look:
    """
    What a look at a grant's end finds.

    Args:
        notice: ``expiring`` or ``expired``; '' if there is nothing to tell.
        ends_at: when it ends.
        next_at: when to look again; None: never.
    """

    notice: str
    ends_at: int
    next_at: int | None


def look_at(expiry: Expiry, now: int) -> Look:
    """
    Judge what to tell a grant's user at *now* (microseconds since 1970 UTC).

    If several moments have passed since the last look, only the last of them counts. None counts from before the
    grant's newest token was made: a token that lives for five days is not announced on its first day, nor is an app
    that has just refreshed. A user who cannot use the grant anyway is told nothing until they can again.
    """
    standing = expiry.standing
    if standing.over_at is not None or standing.runs_out_at is None or standing.born_at is None:
        return Look("", 0, None)
    end = standing.runs_out_at
    since = expiry.look_at - 1 if end == expiry.ends_at else standing.born_at
    moments = [end - before for before in (BEFORE if standing.client_id is None else _BEFORE_OF_APPS)]
    has_come = any(since < moment <= now for moment in moments)
    is_news = now < end + NEWS_FOR and not end <= now < moments[-1] and is_usable(standing, now)
    notice = ("expiring" if now < end else "expired") if has_come and is_news else ""
    return Look(notice, end, _next(moments, now))


def next_look(end: int, now: int) -> int | None:
    """Return the first moment after *now* at which a token's user is told of its *end*; None if there is none left."""
    return _next([end - before for before in BEFORE], now)


def _next(moments: list[int], now: int) -> int | None:
    return min((moment for moment in moments if moment > now), default=None)


def is_usable(standing: Standing, now: int) -> bool:
    """Tell whether the user could act by the grant, had it not run out."""
    return standing.over_at is None and not suspension_of(standing, now)


def is_still_news(kind: str, at: int, standing: Standing, now: int) -> bool:
    """
    Tell whether a notice that has waited is still true, and still concerns its user.

    Args:
        at: when it ends, or was revoked, as the notice says. If all its tokens had expired by then, nothing is told.
    """
    if kind == "revoked":
        return standing.user_disabled_at is None and standing.runs_out_at is not None and standing.runs_out_at > at
    return is_usable(standing, now) and standing.runs_out_at == at


def retry_after(attempts: int) -> int:
    """Return for how many microseconds to wait before a mail is tried again that could not be sent *attempts* times."""
    return _RETRIES[min(attempts, len(_RETRIES)) - 1]
