"""When tokens were last used: noted in memory on each call, written in batches, accurate to the minute."""

from typing import Final

from keybearer.server.clock import MINUTE
from keybearer.server.store import tokens
from keybearer.server.store.database import Database, Transaction
from keybearer.server.store.faults import StoreFault

_AT_MOST: Final = 100_000


class LastUsed:
    """Remembers uses until they are written; a crash loses at most what was not written yet."""

    def __init__(self) -> None:
        self._unwritten: dict[str, int] = {}
        self._written: dict[str, int] = {}

    def note(self, token_id: str, now: int) -> None:
        """Remember that the token was used at *now* (microseconds since 1970 UTC)."""
        if now - self._written.get(token_id, 0) >= MINUTE:
            self._unwritten[token_id] = now

    async def write(self, database: Database) -> None:
        """
        Write what was noted since the last time, in one transaction.

        Raises:
            StoreFault: it could not be written; it is kept for the next time.
        """
        if not self._unwritten:
            return
        batch, self._unwritten = self._unwritten, {}
        try:
            await database.transact(_write_all, batch)
        except StoreFault:
            self._unwritten = batch | self._unwritten
            raise
        if len(self._written) > _AT_MOST:
            self._written.clear()
        self._written |= batch


async def _write_all(tx: Transaction, batch: dict[str, int]) -> None:
    for token_id, used_at in batch.items():
        await tokens.note_use(tx, token_id, used_at)
