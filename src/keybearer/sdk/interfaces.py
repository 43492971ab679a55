"""The interface that the layers for frameworks use; verifiers and their doubles for tests implement it."""

from types import TracebackType
from typing import Protocol, Self

from keybearer.reporting.asked import Asked
from keybearer.reporting.calls import Call
from keybearer.wire.denial import Bearer
from keybearer.wire.principal import Principal
from keybearer.wire.quota import Left


class Recorder(Protocol):
    """As `Reporter`: raises `Unwritable` for a call that cannot be recorded."""

    def begin(self, bearer: Bearer, asked: Asked) -> Call:
        """Keep that a call is about to be handled."""

    async def kept(self, appended: int) -> None:
        """Return when the answer may leave."""

    def wait_kept(self, appended: int) -> None:
        """Return when the answer may leave; for threads."""


class VerifierInterface(Protocol):
    """As `Verifier`."""

    @property
    def reporter(self) -> Recorder | None:
        """What records calls; None: nothing does. Raises `Unwritable` where they cannot be."""

    async def verify(self, token: str) -> Principal:
        """Return who acts by *token*, or raise."""

    async def count(self, principal: Principal) -> Left:
        """Count one call, or raise."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SyncVerifierInterface(Protocol):
    """As `SyncVerifier`."""

    @property
    def reporter(self) -> Recorder | None:
        """What records calls; None: nothing does. Raises `Unwritable` where they cannot be."""

    def verify(self, token: str) -> Principal:
        """Return who acts by *token*, or raise."""

    def known(self, token: str) -> Principal | None:
        """Return who acts by *token* if nobody need be asked."""

    def count(self, principal: Principal) -> Left:
        """Count one call, or raise."""

    def counted(self, principal: Principal) -> Left | None:
        """Count one call if nobody need be asked."""


AnyVerifier = VerifierInterface | SyncVerifierInterface
