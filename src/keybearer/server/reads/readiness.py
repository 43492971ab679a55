"""Whether this node can serve: its database answers, and has this version's tables; and what else is wrong with it."""

import asyncio
from typing import Final

from keybearer.server.clock import SECOND, Clock
from keybearer.server.store import activity_logs, standbys
from keybearer.server.store.database import Database, Reader
from keybearer.server.store.faults import StoreFault
from keybearer.server.store.migrations import newest, revision

_PATIENCE_S: Final = 2
# A refresh repeated within ten seconds is answered again; at a node whose clock is off by more it looks like theft.
_MOST_APART: Final = 5 * SECOND


async def why_not_ready(database: Database) -> str:
    """Return '' when the node can serve, else what is missing, in words."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            found = await revision(database)
    except (StoreFault, TimeoutError):
        return "the database does not answer"
    return "" if found == newest() else f"the database is at revision {found}, this version needs {newest()}"


async def empty_barrier(reader: Reader) -> str:
    """Return why a barrier proves nothing, '' if it does prove something."""
    if await standbys.are_named(reader):
        return ""
    return "synchronous_standby_names is empty: no commit waits for a standby, and KEYBEARER_BARRIER=on proves nothing"


async def clock_apart(database: Database, now: Clock) -> str:
    """Return by how much this machine's clock differs from the database's, in words; '' where it hardly does."""
    before = now()
    theirs = await database.clock()
    if theirs is None:
        return ""
    ahead, behind = before - theirs, theirs - now()
    if max(ahead, behind) < _MOST_APART:
        return ""
    how = f"{ahead // SECOND} s ahead of" if ahead > behind else f"{behind // SECOND} s behind"
    return f"this machine's clock is {how} the database's: what lives for minutes ends early or late; set both by NTP"


async def frozen_logs(reader: Reader) -> list[str]:
    """Return which activity logs are frozen and why, in words."""
    return [f"{log.origin}: {log.frozen_why}" for log in await activity_logs.frozen(reader)]
