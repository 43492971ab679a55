"""What verifier and node tell each other about rate limits: how many calls are wanted, and how many are granted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from keybearer.wire.messages import Malformed

MOST_WANTS: Final = 500  # in one question
_MOST_CALLS: Final = 1_000_000
_LARGEST_ID: Final = 2**63 - 1
_LONGEST_S: Final = 1e12  # a whole number in JSON may be larger than any float


class Left(NamedTuple):
    """What a call that was let through leaves: the limit as announced, and how many more would be let through now."""

    limit: int
    remaining: int


UNCOUNTED: Final = Left(0, 0)
"""Nobody counts: the server is older than its rate limit for APIs."""


@dataclass(frozen=True, slots=True)
class Terms:
    """
    The rate limit of a server, and for how long calls that were granted may be made.

    Args:
        limit: calls a window.
        window_s: seconds in which the whole limit is regained.
        life_s: seconds from the question on; all calls of its grant but one expire then.
    """

    limit: int
    window_s: float
    life_s: float


@dataclass(frozen=True, slots=True)
class Want:
    """So many calls of this user in this team are wanted."""

    user_id: int
    team_id: int
    calls: int


@dataclass(frozen=True, slots=True)
class Grant:
    """
    So many calls of this user in this team may be made by the verifier that asked.

    Args:
        calls: perhaps fewer than were wanted; they are off the limit, made or not.
        remaining: what is left for whoever asks next.
        wait_s: seconds until another call can be granted; 0 if some were granted.
    """

    user_id: int
    team_id: int
    calls: int
    remaining: int
    wait_s: float


def used_up_in_words(wait_s: int) -> str:
    """Return what a caller is told with a 429."""
    return f"The rate limit is used up. Wait {wait_s} second{'s' * (wait_s != 1)} before the next call."


def wants_as_json(wants: Sequence[Want]) -> list[list[int]]:
    """Write wants, each as a list of three."""
    return [[want.user_id, want.team_id, want.calls] for want in wants]


def wants_from_json(body: object) -> tuple[Want, ...]:
    """
    Read wants.

    Raises:
        Malformed: they are not a list of wants, or too many, or one user's place in a team is named twice.
    """
    if not isinstance(body, list) or len(body) > MOST_WANTS:
        raise Malformed(f"wants is not a list of at most {MOST_WANTS}")
    wants = tuple(_want(each) for each in body)
    if len({(want.user_id, want.team_id) for want in wants}) < len(wants):
        raise Malformed("wants names a user's place in a team twice")
    return wants


def grants_as_json(terms: Terms, grants: Sequence[Grant]) -> dict[str, Any]:
    """Write grants, each as a list of five, and the terms on which they are given."""
    return {
        "limit": terms.limit,
        "window": terms.window_s,
        "life": terms.life_s,
        "grants": [[each.user_id, each.team_id, each.calls, each.remaining, each.wait_s] for each in grants],
    }


def grants_from_json(body: Mapping[str, Any]) -> tuple[Terms, tuple[Grant, ...]]:
    """
    Read grants and their terms.

    Raises:
        Malformed: a part is missing or of another type.
    """
    match body:
        case {
            "limit": int(limit),
            "window": (int() | float()) as window_s,
            "life": (int() | float()) as life_s,
            "grants": list(grants),
        } if 0 < limit <= _MOST_CALLS and 0 < life_s <= window_s <= _LONGEST_S:
            return Terms(limit, float(window_s), float(life_s)), tuple(_grant(each) for each in grants)
    raise Malformed("grants lack a part, or have one of another type")


def _want(parts: object) -> Want:
    match parts:
        case [int(user_id), int(team_id), int(calls)] if (
            0 < user_id <= _LARGEST_ID and 0 < team_id <= _LARGEST_ID and 0 < calls <= _MOST_CALLS
        ):
            return Want(user_id, team_id, calls)
    raise Malformed("a want is not a list of three numbers")


def _grant(parts: object) -> Grant:
    match parts:
        case [int(user_id), int(team_id), int(calls), int(remaining), (int() | float()) as wait_s] if (
            calls >= 0 and remaining >= 0 and 0 <= wait_s <= _LONGEST_S and (calls > 0 or wait_s > 0)
        ):
            return Grant(user_id, team_id, calls, remaining, float(wait_s))
    raise Malformed("a grant is not a list of five numbers")
