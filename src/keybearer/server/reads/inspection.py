"""What a token can do at this moment, and every reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from keybearer.server import secrets
from keybearer.server.store import teams, tokens
from keybearer.server.store.database import Reader
from keybearer.verify.decide import TokenRecord, decide
from keybearer.wire import token_text
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.principal import Principal

# What takes a reason away, so that the next one shows.
_WITHOUT: Final[Mapping[Reason, Mapping[str, Any]]] = {
    Reason.REVOKED: {"revoked_at": None},
    Reason.EXPIRED: {"expires_at": 1 << 62},
    Reason.GRANT_ENDED: {"grant_ended_at": None, "family_ended_at": None},
    Reason.CLIENT_GONE: {"client_deleted_at": None},
    Reason.USER_DISABLED: {"user_disabled_at": None},
    Reason.TEAM_GONE: {"team_archived_at": None},
    Reason.NOT_A_MEMBER: {"membership_id": 0, "role": "", "membership_expires_at": None},
}


@dataclass(frozen=True, slots=True)
class Inspection:
    """
    A token as it stands.

    Args:
        reasons: why it is not accepted; none if it is.
        permissions: what it may do now; none where there are reasons.
        is_narrowed: whether it may do less than its user's role.
    """

    record: TokenRecord
    team_identifier: str
    reasons: tuple[Reason, ...]
    permissions: frozenset[str]
    is_narrowed: bool


async def inspect_token(
    reader: Reader, text: str, prefix: str, role_permissions: Mapping[str, frozenset[str]], now: int
) -> Inspection | Reason:
    """
    Tell what the token of this *text* can do, and why not; the reason alone where nothing is known of it.

    Args:
        prefix: the provider's own token prefix.
        now: microseconds since 1970 UTC.
    """
    parsed = token_text.parse(text)
    if parsed is None or parsed.prefix != prefix:
        return Reason.MALFORMED
    record = await tokens.record_of(reader, secrets.digest(text))
    if record is None:
        return Reason.UNKNOWN if parsed.kind in token_text.BEARER_KINDS | {"ort"} else Reason.WRONG_KIND
    team = await teams.by_team_id(reader, record.team_id)
    reasons, decided = _all_reasons(record, now, role_permissions)
    if record.kind not in token_text.BEARER_KINDS:
        reasons = (Reason.WRONG_KIND, *reasons)
    return Inspection(
        record=record,
        team_identifier=team.identifier if team else "",
        reasons=reasons,
        permissions=frozenset() if reasons else decided.permissions,
        is_narrowed=decided.is_narrowed,
    )


def _all_reasons(
    record: TokenRecord, now: int, role_permissions: Mapping[str, frozenset[str]]
) -> tuple[tuple[Reason, ...], Principal]:
    """Ask again without each reason found, until none is left; return them, and who would act then."""
    reasons: list[Reason] = []
    decided = decide(record, now, role_permissions)
    while isinstance(decided, Denial):
        reasons.append(decided.reason)
        record = replace(record, **_WITHOUT[decided.reason])
        decided = decide(record, now, role_permissions)
    return tuple(reasons), decided
