"""Judges a presented refresh token: rotate, replay, reuse or refuse."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from keybearer.server.records import HeldRefresh
from keybearer.server.rules.suspension import suspension_of
from keybearer.server.units import SECOND

_REPLAY_WINDOW: Final = 10 * SECOND  # in which a lost answer may be asked for again


class Verdict(Enum):
    """The four ends of a refresh."""

    ROTATE = auto()
    REPLAY = auto()
    REUSE = auto()
    REFUSE = auto()


@dataclass(frozen=True, slots=True)
class Judgment:
    """A verdict and its reason, for the log and the tests."""

    verdict: Verdict
    reason: str


def judge(held: HeldRefresh | None, client_id: str, now: int) -> Judgment:
    """
    Judge the use of a refresh token by *client_id* at *now*.

    A second use is judged before expiry and suspension: it tells of a leak however old the text is, and whoever holds
    it. What only suspends (a disabled user) refuses without ending anything.

    Args:
        held: None for an unknown text.
        now: microseconds since 1970 UTC.

    Source: RFC 6749 §6, RFC 9700 §4.14.2 (binding to the client, rotation, replay, inactivity).
    """
    if held is None:
        return Judgment(Verdict.REFUSE, "unknown refresh token")
    if held.client_id != client_id:
        return Judgment(Verdict.REFUSE, "another client's refresh token")
    if reason := _ended(held, now):
        return Judgment(Verdict.REFUSE, reason)
    if held.used_at is not None and not _is_lost_answer(held, now):
        return Judgment(Verdict.REUSE, "refresh token reused")
    if reason := suspension_of(held, now):
        return Judgment(Verdict.REFUSE, reason)
    if held.used_at is not None:
        return Judgment(Verdict.REPLAY, "lost answer repeated")
    if held.expires_at <= now:
        return Judgment(Verdict.REFUSE, "refresh token unused for too long")
    return Judgment(Verdict.ROTATE, "first use")


def _ended(held: HeldRefresh, now: int) -> str:
    """Say what has ended for good; '' if nothing has."""
    if held.revoked_at is not None:
        return "refresh token revoked"
    if held.family_ended_at is not None:
        return "family ended"
    if held.grant_ended_at is not None:
        return "grant ended"
    return "family past its absolute end" if held.family_expires_at <= now else ""


def _is_lost_answer(held: HeldRefresh, now: int) -> bool:
    """
    Tell whether a used token may be answered once more with what its use gave.

    The successor counts as used once it was refreshed in turn. Calls with its access token do not count: of two
    workers of one client that refresh at the same moment, the second must not end the family because the first
    has already gone on. Nodes' clocks differ by less than the window; a clock that was set back by more opens nothing.
    """
    assert held.used_at is not None  # noqa: S101 - asked for used tokens only
    return (
        held.successor_used_at is None
        and held.sealed_successor is not None
        and abs(now - held.used_at) < _REPLAY_WINDOW
    )
