"""The doubles for users' tests behave as the verifiers do that they stand for."""

import asyncio
from pathlib import Path

import pytest

from keybearer import ActivityLog, InvalidToken, SyncVerifier, Unavailable, Verifier
from keybearer.testing import FakeSyncVerifier, FakeVerifier
from keybearer.wire.denial import Reason


async def test_the_asynchronous_double_answers_as_a_verifier_does() -> None:
    async with FakeVerifier() as fake:
        token = fake.issue(user_id=5, team_id=6, role="member", permissions=["people:read"])
        await fake.ready()
        principal = await fake.verify(token)
        assert (principal.user_id, principal.team_id, principal.role, principal.environment) == (
            5,
            6,
            "member",
            "sandbox",
        )
        assert principal.can("people:read")
        fake.allow(token)
        assert not (await fake.verify(token)).can("people:read")
        assert fake.known(token) is not None
        fake.revoke(token)
        assert fake.known(token) is None
        with pytest.raises(InvalidToken) as caught:
            await fake.verify(token)
        assert caught.value.reason is Reason.REVOKED


# What the SDK's own parts call.
INNER = {"ask", "is_closed", "reset_after_fork", "shut"}


@pytest.mark.parametrize(("real", "double"), [(Verifier, FakeVerifier), (SyncVerifier, FakeSyncVerifier)])
def test_whatever_an_api_asks_of_a_verifier_a_double_answers(
    real: type[object], double: type[FakeVerifier | FakeSyncVerifier]
) -> None:
    assert {name for name in dir(real) if not name.startswith("_")} - INNER <= set(dir(double()))


def test_an_application_that_has_calls_recorded_takes_a_double(tmp_path: Path) -> None:
    fake = FakeSyncVerifier()
    assert fake.reporting(ActivityLog(tmp_path / "activity")) is fake
    assert list(tmp_path.iterdir()) == []
    principal = fake.verify(fake.issue())
    assert fake.valid_until(principal) > fake.now()
    fake.is_away = True
    assert fake.valid_until(principal) <= fake.now()


def test_a_principal_is_shown_without_what_is_personal() -> None:
    fake = FakeSyncVerifier()
    shown = repr(fake.verify(fake.issue(user_id=5, team_id=6, permissions=["people:read"])))
    assert shown.startswith("Principal(user_id=5, team_id=6, environment='sandbox', role='owner'")
    assert "permissions=['people:read']" in shown
    assert "@" not in shown


async def test_a_double_whose_server_is_away() -> None:
    fake = FakeVerifier()
    token = fake.issue()
    fake.is_away = True
    assert not fake.is_ready
    with pytest.raises(Unavailable):
        await fake.verify(token)
    with pytest.raises(Unavailable):
        await fake.ready()
    with pytest.raises(InvalidToken):  # nobody need be asked about this
        await fake.verify("nonsense")


def test_the_synchronous_double_answers_as_a_verifier_does() -> None:
    with FakeSyncVerifier(environment="live") as fake:
        fake.ready()
        token = fake.issue()
        assert fake.verify(token).environment == "live"
        sandbox = FakeSyncVerifier().issue()
        with pytest.raises(InvalidToken) as caught:
            fake.verify(sandbox)
        assert caught.value.reason is Reason.WRONG_ENVIRONMENT
        fake.is_away = True
        with pytest.raises(Unavailable):
            fake.verify(token)
        with pytest.raises(Unavailable):
            fake.ready()


async def test_a_lasting_call_ends_when_the_double_revokes() -> None:
    fake = FakeVerifier()
    token = fake.issue()

    async def last() -> None:
        async with fake.while_valid(token):
            fake.revoke(token)
            await asyncio.sleep(60)

    with pytest.raises(InvalidToken):
        await last()
