"""Calls that last: the token is checked again and again, and its end ends the call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from keybearer.sdk.errors import Forbidden, InvalidToken, Unavailable
from keybearer.wire.principal import Principal


class Rechecking(Protocol):
    """What is needed of a verifier here."""

    async def verify(self, token: str) -> Principal:
        """Return who acts by *token*."""

    @property
    def recheck_s(self) -> float:
        """Return the seconds from one look to the next."""


@asynccontextmanager
async def while_valid(verifier: Rechecking, token: str, permissions: tuple[str, ...]) -> AsyncIterator[Principal]:
    """
    Run the block for as long as the token is accepted and has the permissions.

    Raises:
        InvalidToken, Unavailable, Forbidden: as `Verifier.verify` would; out of the middle of the block, which is
            cancelled then.

    Source: coherence.md 5.3, V7.
    """
    principal = await _allowed(verifier, token, permissions)
    worker = asyncio.current_task()
    assert worker is not None  # noqa: S101 - an async context manager runs in a task
    ended: list[Exception] = []

    async def watch() -> None:
        while True:
            await asyncio.sleep(verifier.recheck_s)
            try:
                await _allowed(verifier, token, permissions)
            except (InvalidToken, Unavailable, Forbidden) as error:
                ended.append(error)
                worker.cancel()
                return

    watcher = asyncio.create_task(watch())
    try:
        yield principal
    except asyncio.CancelledError:
        if ended and worker.uncancel() == 0:
            raise ended[0] from None
        raise
    finally:
        watcher.cancel()


async def _allowed(verifier: Rechecking, token: str, permissions: tuple[str, ...]) -> Principal:
    principal = await verifier.verify(token)
    if not all(principal.can(each) for each in permissions):
        raise Forbidden(*permissions)
    return principal
