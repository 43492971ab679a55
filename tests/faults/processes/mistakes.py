"""Verifiers that are wrong in one thing: if they are not caught, the faults prove nothing about the right one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from keybearer.verify.lease import Heard, Lease
from keybearer.verify.mirror import Mirrored
from keybearer.wire.feed import SyncAnswer


class NoLease(Lease):
    """Believes its mirror however long it has heard nothing."""

    def known(self, digest: bytes, clock: Callable[[], float]) -> Mirrored | None:
        """Return what the mirror has."""
        clock()
        return self.mirror.entries.get(digest)


class NoNonce(Lease):
    """Takes any answer for the one to its question."""

    def hear(self, answer: SyncAnswer) -> Heard:
        """Take in whatever comes."""
        if self._outstanding is not None:
            answer = replace(answer, nonce=self._outstanding.nonce)
        return super().hear(answer)


MISTAKES: Final[dict[str, type[Lease]]] = {"no lease": NoLease, "no nonce": NoNonce}
