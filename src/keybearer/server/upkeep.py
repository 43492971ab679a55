"""Regular work of a node beside its requests: writing last uses, pruning old rows, sealing the activity log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import structlog

from keybearer.server import secrets
from keybearer.server.clock import DAY
from keybearer.server.fault_log import FaultLog
from keybearer.server.last_used import LastUsed
from keybearer.server.mail.mailer import Mailer
from keybearer.server.reads.readiness import clock_apart
from keybearer.server.sealing.sealer import Sealer, SealingTrouble
from keybearer.server.store.database import Database
from keybearer.server.store.faults import StoreFault
from keybearer.server.store.feed_pruning import prune_feed
from keybearer.server.store.pruning import SWEEPERS, Horizon
from keybearer.server.store.rate_limits import forget_regained
from keybearer.server.waiting import is_set_within
from keybearer.server.wall_clock import WallClock

_WRITE_USES_EVERY_S: Final = 5
_PRUNE_EVERY_S: Final = 3600
_SEAL_EVERY_S: Final = 1
# A token's row outlives the token, so that "revoked" and "expired" can be told apart from "unknown" in the log, and a
# refresh token that comes back weeks later still ends its family.
_KEEP_FOR: Final = 90 * DAY
# Failed sign-ins are forgotten after a day, and a consent page waits for ten minutes.
_KEEP_SHORT_LIVED_FOR: Final = 2 * DAY

_KEEP_EVENTS_FOR: Final = DAY
_KEEP_MAIL_FOR: Final = 30 * DAY

_LOG = structlog.get_logger("keybearer.upkeep")


@asynccontextmanager
async def upkeep(
    database: Database, uses: Sequence[LastUsed], sealer: Sealer, mailer: Mailer, wall_clock: WallClock
) -> AsyncIterator[None]:
    """Keep a node's books while the block lasts, and close them at its end."""
    now = wall_clock.now

    def deleting(what: str, work: Callable[[], Awaitable[None]]) -> Coroutine[Any, Any, None]:
        return again_and_again(_PRUNE_EVERY_S, what, partial(unless_doubted, database, wall_clock, work))

    jobs = (
        again_and_again(_WRITE_USES_EVERY_S, "last uses", partial(_write_uses, database, uses)),
        again_and_again(_SEAL_EVERY_S, "sealing", sealer.turn),
        deleting("deleting old rows", lambda: prune_all(database, now())),
        deleting("deleting old records", sealer.prune),
        deleting("deleting old mail", lambda: mailer.forget_before(now() - _KEEP_MAIL_FOR)),
    )
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _write_uses(database, uses)


async def _write_uses(database: Database, uses: Sequence[LastUsed]) -> None:
    for each in uses:
        await each.write(database)


async def unless_doubted(database: Database, wall_clock: WallClock, work: Callable[[], Awaitable[None]]) -> None:
    """
    Do *work*, which deletes for good what is old by this machine's clock; not while that is wrong by all appearances.

    Else a clock that jumped years ahead would delete what lives. Another node does it, or this one later.
    """
    if why := wall_clock.doubt() or await clock_apart(database, wall_clock.now):
        _LOG.warning("nothing old is deleted here for now", why=why)
    else:
        await work()


async def prune_all(database: Database, now: int) -> None:
    """Take away every row that ended long ago, in transactions so short that nobody waits for them."""
    before = now - _KEEP_FOR
    horizon = Horizon(before, now - _KEEP_SHORT_LIVED_FOR, secrets.record_id(before))
    for sweeper in SWEEPERS:
        after: str | bytes | None = sweeper.start
        while after is not None:
            after = await database.transact(sweeper.sweep, after, horizon)
    while await database.transact(prune_feed, now - _KEEP_EVENTS_FOR):
        _LOG.debug("old events taken away")
    await database.transact(forget_regained)


async def again_and_again(
    every_s: float, what: str, work: Callable[[], Awaitable[None]], woken: asyncio.Event | None = None
) -> None:
    """
    Do *work* now and then; a store that is away for a while is tried again next time.

    Args:
        what: what it is called where the log says that it is put off.
        woken: when it is set, the work is done at once.
    """
    woken = woken or asyncio.Event()
    faults = FaultLog(_LOG, f"{what} put off")
    while True:
        await is_set_within(woken, every_s)
        woken.clear()
        with faults.surviving(StoreFault, SealingTrouble):
            await work()
