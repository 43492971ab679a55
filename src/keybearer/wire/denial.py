"""The reasons for which a token is refused."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Reason(StrEnum):
    """The one reason, first found, for which a token is not accepted."""

    MISSING = "missing"
    MALFORMED = "malformed"
    WRONG_KIND = "wrong_kind"
    WRONG_ENVIRONMENT = "wrong_environment"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"
    GRANT_ENDED = "grant_ended"
    USER_DISABLED = "user_disabled"
    TEAM_GONE = "team_gone"
    NOT_A_MEMBER = "not_a_member"
    CLIENT_GONE = "client_gone"


class Bearer(NamedTuple):
    """In whose name, where and by what a call is made, or was tried: what a record of it says; as in `Principal`."""

    user_id: int
    team_id: int
    environment: str
    client_id: str | None
    grant_id: str
    token_id: str
    token_last4: str


@dataclass(frozen=True, slots=True)
class Denial:
    """
    A refusal of a token; the caller is told only that it is not accepted.

    Args:
        bearer: whose token it was, if it is a known one; for the record.
    """

    reason: Reason
    last4: str | None = None
    bearer: Bearer | None = None
