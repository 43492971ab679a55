"""The server's own doors report their calls, as any other API does."""

from collections.abc import Sequence

from keybearer.server.activity.keep_once import Reported, keep_once
from keybearer.server.store.database import Transaction


async def record_own_calls(tx: Transaction, base: str | None, records: Sequence[Reported], now: int) -> None:
    """
    Keep records of one life of a server process, each once.

    Args:
        base: see `keep_once`.
        records: at least one; made by this process out of its spool, so nothing in them is in doubt.
        now: microseconds since 1970 UTC.
    """
    await keep_once(tx, base, records, now)
