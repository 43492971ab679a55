"""Decides from a token's record who acts with it, or why nobody does."""

from collections.abc import Mapping
from dataclasses import dataclass

from keybearer.wire.denial import Bearer, Denial, Reason
from keybearer.wire.packing import packed_place, packed_token
from keybearer.wire.principal import Principal

FOLLOWS_ROLE = "none"


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What a decision about one token rests on; times in microseconds since 1970 UTC, None: has not happened."""

    token_id: str
    kind: str
    last4: str
    narrowing: str
    scope: str
    created_at: int
    expires_at: int
    revoked_at: int | None
    grant_id: str
    grant_ended_at: int | None
    client_id: str | None
    client_deleted_at: int | None
    family_id: str | None
    family_ended_at: int | None
    environment: str
    user_id: int
    user_name: str
    user_email: str
    user_disabled_at: int | None
    team_id: int
    team_archived_at: int | None
    membership_id: int | None
    role: str | None
    membership_expires_at: int | None


def decide(record: TokenRecord, now: int, role_permissions: Mapping[str, frozenset[str]]) -> Principal | Denial:
    """
    Tell who acts with the token of this *record* at *now*.

    Args:
        record: the token with its grant, user, team and membership as one snapshot has them.
        now: microseconds since 1970 UTC.
        role_permissions: what each role may do; a role that is not in it may do nothing.

    Returns:
        The principal, or the denial with the first reason found.
    """
    reason = _why_not(record, now)
    if reason is not None:
        return Denial(reason, record.last4, _bearer(record))
    assert record.role is not None  # noqa: S101 - _why_not refuses a missing membership
    assert record.membership_id is not None  # noqa: S101 - likewise
    person = (record.user_name, record.user_email)
    place = packed_place(record.team_id, record.membership_id, record.environment, record.role, person)
    token = packed_token(
        record.kind,
        record.expires_at,
        is_narrowed=record.narrowing != FOLLOWS_ROLE,
        ids=(record.token_id, record.grant_id, record.last4),
    )
    return Principal(record.user_id, place, _permissions(record, role_permissions), record.client_id, token)


def ends_at(record: TokenRecord) -> int:
    """Return when the token stops being accepted if nothing happens to it: microseconds since 1970 UTC."""
    role_ends_at = record.membership_expires_at
    return record.expires_at if role_ends_at is None else min(record.expires_at, role_ends_at)


def _why_not(record: TokenRecord, now: int) -> Reason | None:
    """Return the first reason against the token, in the order in which a log reader wants them."""
    if record.revoked_at is not None:
        return Reason.REVOKED
    if record.expires_at <= now:
        return Reason.EXPIRED
    if record.grant_ended_at is not None or record.family_ended_at is not None:
        return Reason.GRANT_ENDED
    if record.client_deleted_at is not None:
        return Reason.CLIENT_GONE
    if record.user_disabled_at is not None:
        return Reason.USER_DISABLED
    if record.team_archived_at is not None:
        return Reason.TEAM_GONE
    if record.role is None or (record.membership_expires_at is not None and record.membership_expires_at <= now):
        return Reason.NOT_A_MEMBER
    return None


def _bearer(record: TokenRecord) -> Bearer:
    return Bearer(
        record.user_id,
        record.team_id,
        record.environment,
        record.client_id,
        record.grant_id,
        record.token_id,
        record.last4,
    )


def _permissions(record: TokenRecord, role_permissions: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return what the role may do, narrowed by the token's scope where it has one."""
    allowed = role_permissions.get(record.role or "", frozenset())
    if record.narrowing == FOLLOWS_ROLE:
        return allowed
    return allowed & frozenset(record.scope.split())
