"""Why a token is refused, in words that a log can keep."""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Denial:
    """A refusal of a token; the caller is told only that it is not accepted."""

    reason: Reason
    last4: str | None = None
