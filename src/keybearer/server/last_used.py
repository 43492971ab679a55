"""When tokens and keys were last used: noted in memory on each call, written in batches, accurate to the minute."""

from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import Final

from keybearer.server.clock import MINUTE
from keybearer.server.store import tokens
from keybearer.server.store.database import Database, Transaction

_AT_MOST: Final = 100_000
_AT_ONCE: Final = 500


class LastUsed:
    """
    Remembers uses until they are written; a crash loses at most what was not written yet.

    Args:
        write: keeps for each id when it was used (microseconds since 1970 UTC).
    """

    def __init__(self, write: Callable[[Transaction, Mapping[str, int]], Awaitable[None]] = tokens.note_uses) -> None:
        self._write = write
        self._unwritten: dict[str, int] = {}
        self._written: dict[str, int] = {}

    def note(self, used_id: str, now: int) -> None:
        """Remember that the token, or the key's owner, was used at *now* (microseconds since 1970 UTC)."""
        if now - self._written.get(used_id, 0) >= MINUTE:
            self._unwritten[used_id] = max(now, self._unwritten.get(used_id, 0))  # reports come late

    async def write(self, database: Database) -> None:
        """
        Write what was noted until now, in transactions so short that no call waits long for its token's row.

        Raises:
            StoreFault: some could not be written; they are kept for the next time.
        """
        while self._unwritten:
            batch = dict(islice(self._unwritten.items(), _AT_ONCE))
            await database.transact(self._write, batch)
            for used_id in batch:
                self._unwritten.pop(used_id, None)  # used again meanwhile or not: it is the same minute
            self._remember(batch)

    def _remember(self, written: dict[str, int]) -> None:
        if len(self._written) > _AT_MOST:
            self._written.clear()
        self._written |= written
