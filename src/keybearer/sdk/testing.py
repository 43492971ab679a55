"""Verifiers for the tests of an API: they need no server, and know the tokens that the test has issued."""

import itertools
import secrets
from collections import Counter
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from keybearer.reporting.asked import Asked, recordable
from keybearer.reporting.calls import Call
from keybearer.reporting.lines import Outcome
from keybearer.reporting.reporter import ActivityLog
from keybearer.reporting.segment import Unwritable
from keybearer.sdk.clocks import SYSTEM
from keybearer.sdk.errors import InvalidToken, RateLimited, Unavailable
from keybearer.sdk.judging import Wanted
from keybearer.sdk.streams import while_valid
from keybearer.wire.denial import Bearer, Denial, Reason
from keybearer.wire.packing import packed_place, packed_token
from keybearer.wire.principal import Principal
from keybearer.wire.quota import Left
from keybearer.wire.token_text import compose

LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call as the activity log would have it."""

    bearer: Bearer
    asked: Asked
    outcome: Outcome


class Records:
    """Stands for what reports calls: it keeps them in a list; set ``is_full`` to see how the API answers then."""

    def __init__(self) -> None:
        self.is_full = False
        self.kept_calls: list[Recorded] = []
        self._under_way: dict[int, tuple[Bearer, Asked]] = {}

    def begin(self, bearer: Bearer, asked: Asked) -> Call:
        """Keep that a call is about to be handled."""
        if self.is_full:
            raise Unwritable("the test says that there is no room")
        number = len(self._under_way) + 1
        self._under_way[number] = (bearer, recordable(asked))
        return Call(self._keep, number)

    async def kept(self, appended: int) -> None:
        """Return: nothing has to wait."""

    def wait_kept(self, appended: int) -> None:
        """Return: nothing has to wait."""

    def _keep(self, outcome: Outcome) -> int:
        self.kept_calls.append(Recorded(*self._under_way[outcome.call], outcome))
        return len(self.kept_calls)


class _Tokens:
    """
    What both doubles know.

    Args:
        environment: of the tokens that are issued and accepted.
    """

    recheck_s = 0.05

    def __init__(self, environment: str = "sandbox") -> None:
        self.is_away = False
        self.reporter = Records()
        self._wanted = Wanted("kb", environment)
        self._held: dict[str, Principal] = {}
        self._ended: dict[str, Bearer] = {}
        self._numbers = itertools.count(1)
        self._calls: int | None = None
        self._made: Counter[tuple[int, int]] = Counter()

    @property
    def recorded(self) -> list[Recorded]:
        """What the activity log would have, in the order in which the calls ended."""
        return self.reporter.kept_calls

    @property
    def is_ready(self) -> bool:
        """Whether the server that is not there would be in touch."""
        return not self.is_away

    def issue(
        self, *, user_id: int = 1, team_id: int = 1, role: str = "owner", permissions: Collection[str] = ()
    ) -> str:
        """Make a personal access token; return its text."""
        number = next(self._numbers)
        text = compose("kb", "pat", self._wanted.environment, secrets.token_hex(16))
        person = (f"User {user_id}", f"user{user_id}@example.com")
        place = packed_place(team_id, user_id, self._wanted.environment, role, person)
        ids = (f"token-{number}", f"grant-{number}", text[-4:])
        made = packed_token("pat", 4_102_444_800_000_000, is_narrowed=False, ids=ids)
        self._held[text] = Principal(user_id, place, frozenset(permissions), None, made)
        return text

    def allow(self, token: str, *permissions: str) -> None:
        """Have *token* allow these permissions from now on, and no others, as after a change of role."""
        self._held[token] = replace(self._held[token], permissions=frozenset(permissions))

    def revoke(self, token: str) -> None:
        """End *token*."""
        self._ended[token] = self._held.pop(token).bearer

    def limit_calls(self, calls: int | None) -> None:
        """Let each user make so many more calls in each team, and refuse the next with 429; None: any number."""
        self._calls = calls
        self._made.clear()

    def known(self, token: str) -> Principal | None:
        """Return who acts by *token*; None if that cannot be told."""
        return None if self.is_away else self._held.get(token)

    def counted(self, principal: Principal) -> Left | None:
        """Count one call; None if it must not be made."""
        try:
            return self._counted(principal)
        except RateLimited:
            return None

    def reporting(self, activity: ActivityLog) -> Self:
        """Do nothing: a double records every call, in `recorded` and in no folder."""
        del activity
        return self

    def now(self) -> float:
        """Return the moment on the clock of `valid_until`."""
        return SYSTEM.boottime()

    def valid_until(self, principal: Principal) -> float:
        """Return until when a principal may be relied on if nothing more is heard."""
        del principal
        return self.now() + (0.0 if self.is_away else self.recheck_s * 2)

    def _counted(self, principal: Principal) -> Left:
        if self._calls is None:
            return Left(LIMIT, LIMIT - 1)
        place = (principal.user_id, principal.team_id)
        if self._made[place] >= self._calls:
            raise RateLimited(self._calls, 1.0, SYSTEM.wall())
        self._made[place] += 1
        return Left(self._calls, self._calls - self._made[place])

    def _judged(self, token: str) -> Principal:
        fault = self._wanted.fault_of(token)
        if fault is not None:
            raise InvalidToken(fault)
        if self.is_away:
            raise Unavailable("the test says that no server answers")
        if token not in self._held:
            raise InvalidToken(
                Denial(Reason.REVOKED if token in self._ended else Reason.UNKNOWN, token[-4:], self._ended.get(token))
            )
        return self._held[token]


class FakeVerifier(_Tokens):
    """
    Stands for a `Verifier`: ``token = fake.issue(permissions=["people:read"])``, then call the API with it.

    Set ``is_away`` to see how the API answers while no server does.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def verify(self, token: str) -> Principal:
        """Return who acts by *token*, or raise as a `Verifier` does."""
        return self._judged(token)

    async def count(self, principal: Principal) -> Left:
        """Count one call, or raise as a `Verifier` does."""
        return self._counted(principal)

    async def ready(self, timeout_s: float | None = None) -> None:
        """Return; a double is always ready, unless its server is away."""
        del timeout_s
        if self.is_away:
            raise Unavailable("the test says that no server answers")

    def while_valid(self, token: str, *permissions: str) -> AbstractAsyncContextManager[Principal]:
        """Run the block for as long as *token* is accepted and has the *permissions*."""
        return while_valid(self, token, permissions)

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


class FakeSyncVerifier(_Tokens):
    """Stands for a `SyncVerifier`, as `FakeVerifier` does for a `Verifier`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def verify(self, token: str) -> Principal:
        """Return who acts by *token*, or raise as a `SyncVerifier` does."""
        return self._judged(token)

    def count(self, principal: Principal) -> Left:
        """Count one call, or raise as a `SyncVerifier` does."""
        return self._counted(principal)

    def ready(self, timeout_s: float | None = None) -> None:
        """Return; a double is always ready, unless its server is away."""
        del timeout_s
        if self.is_away:
            raise Unavailable("the test says that no server answers")

    def close(self) -> None:
        """Do nothing: there is nothing to close."""
