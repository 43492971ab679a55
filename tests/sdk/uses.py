"""Uses of the SDK as its users write them; mypy reads this file, and each type is what it says."""

from typing import Any, assert_type

import keybearer
from keybearer import Forbidden, InvalidToken, Principal, RateLimited, SyncVerifier, Unavailable, Verifier
from keybearer.asgi import KeybearerMiddleware, principal_of
from keybearer.sdk.interfaces import SyncVerifierInterface, VerifierInterface
from keybearer.testing import FakeSyncVerifier, FakeVerifier


async def asynchronous(token: str, key: str) -> None:
    async with Verifier("https://auth.example.com", key=key) as verifier:
        assert_type(verifier, Verifier)
        principal = await verifier.verify(token)
        assert_type(principal, Principal)
        assert_type(principal.user_id, int)
        assert_type(principal.team_id, int)
        assert_type(principal.role, str)
        assert_type(principal.environment, str)
        assert_type(principal.client_id, str | None)
        assert_type(principal.can("clients:write"), bool)
        assert_type((await verifier.count(principal)).remaining, int)
        assert_type(verifier.known(token), Principal | None)
        assert_type(verifier.is_ready, bool)
        assert_type(verifier.valid_until(principal), float)
        async with verifier.while_valid(token, "clients:read") as lasting:
            assert_type(lasting, Principal)


def synchronous(token: str, key: str) -> None:
    with SyncVerifier(["https://a.example.com", "https://b.example.com"], key=key) as verifier:
        assert_type(verifier, SyncVerifier)
        assert_type(verifier.verify(token), Principal)
        assert_type(verifier.count(verifier.verify(token)).limit, int)
        assert_type(verifier.is_ready, bool)


def refusals(invalid: InvalidToken, unavailable: Unavailable, limited: RateLimited, forbidden: Forbidden) -> None:
    assert_type(limited.retry_after_s, int)
    assert_type(invalid.reason.value, str)
    assert_type(unavailable.retry_after_s, int)
    assert_type(forbidden.permissions, tuple[str, ...])


def doubles(app: Any) -> None:
    fake, synchronous_fake = FakeVerifier(), FakeSyncVerifier()
    assert_type(fake.issue(user_id=1, permissions=["clients:read"]), str)
    asynchronous_ones: list[VerifierInterface] = [fake, Verifier("https://auth.example.com", key="")]
    synchronous_ones: list[SyncVerifierInterface] = [synchronous_fake, SyncVerifier("https://auth.example.com", key="")]
    assert_type(principal_of({}), Principal)
    KeybearerMiddleware(app, asynchronous_ones[0])
    assert synchronous_ones


def mistakes(token: str, key: str) -> None:
    Verifier("https://auth.example.com", key)  # type: ignore[call-arg] # the key has a name
    SyncVerifier("https://auth.example.com", key=key).verify(token.encode())  # type: ignore[arg-type]
    KeybearerMiddleware(print, FakeSyncVerifier())  # type: ignore[arg-type] # the synchronous one
    _ = keybearer.Nothing  # type: ignore[attr-defined]
