"""A token may do exactly what its user may do now, or nothing."""

from dataclasses import replace
from typing import Any

import pytest

from keybearer.verify.decide import TokenRecord, decide
from keybearer.wire.denial import Denial, Reason
from keybearer.wire.principal import Principal

NOW = 1_000
ROLES = {"owner": frozenset({"team:read", "team:manage"}), "read-only": frozenset({"team:read"})}
GOOD = TokenRecord(
    token_id="t",
    kind="pat",
    last4="abcd",
    narrowing="none",
    scope="",
    created_at=1,
    expires_at=NOW + 1,
    revoked_at=None,
    grant_id="g",
    grant_ended_at=None,
    client_id=None,
    client_deleted_at=None,
    family_id=None,
    family_ended_at=None,
    environment="sandbox",
    user_id=1,
    user_name="Ada",
    user_email="ada@example.com",
    user_disabled_at=None,
    team_id=2,
    team_archived_at=None,
    membership_id=3,
    role="owner",
    membership_expires_at=None,
)


def _principal(**changes: Any) -> Principal:
    found = decide(replace(GOOD, **changes), NOW, ROLES)
    assert isinstance(found, Principal)
    return found


def test_a_token_that_follows_its_role_may_do_what_the_role_may() -> None:
    assert _principal().permissions == ROLES["owner"]


def test_a_lowered_role_lowers_the_token() -> None:
    assert not _principal(role="read-only").can("team:manage")


def test_a_narrowed_token_may_do_only_what_both_scope_and_role_allow() -> None:
    narrowed = _principal(narrowing="scope", scope="team:manage clients:read", role="owner")
    assert narrowed.permissions == {"team:manage"}


def test_a_token_narrowed_to_nothing_may_do_nothing() -> None:
    assert _principal(narrowing="scope", scope="").permissions == frozenset()


def test_a_role_that_nobody_configured_may_do_nothing() -> None:
    assert _principal(role="assumed", membership_expires_at=NOW + 1).permissions == frozenset()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"revoked_at": 1}, Reason.REVOKED, id="revoked"),
        pytest.param({"expires_at": NOW}, Reason.EXPIRED, id="at the very end of its life"),
        pytest.param({"grant_ended_at": 1}, Reason.GRANT_ENDED, id="its grant ended"),
        pytest.param({"family_ended_at": 1}, Reason.GRANT_ENDED, id="its family ended"),
        pytest.param({"client_deleted_at": 1}, Reason.CLIENT_GONE, id="its client was deleted"),
        pytest.param({"user_disabled_at": 1}, Reason.USER_DISABLED, id="its user is disabled"),
        pytest.param({"team_archived_at": 1}, Reason.TEAM_GONE, id="its team is gone"),
        pytest.param({"role": None}, Reason.NOT_A_MEMBER, id="its user left the team"),
        pytest.param({"membership_expires_at": NOW}, Reason.NOT_A_MEMBER, id="its user's time in the team is over"),
    ],
)
def test_a_token_is_refused(changes: dict[str, Any], reason: Reason) -> None:
    denial = decide(replace(GOOD, **changes), NOW, ROLES)
    assert isinstance(denial, Denial)
    assert (denial.reason, denial.last4) == (reason, "abcd")
    assert denial.bearer is not None, "it is known whose it was"
    assert (denial.bearer.user_id, denial.bearer.team_id) == (GOOD.user_id, GOOD.team_id)
    assert (denial.bearer.token_id, denial.bearer.token_last4) == (GOOD.token_id, "abcd")


def test_a_microsecond_before_its_end_a_token_is_good() -> None:
    assert _principal(expires_at=NOW + 1).user_id == 1
