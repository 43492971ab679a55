"""What a node does every second for the activity log: places, checkpoints, gaps, and a look at what is stored."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import structlog

from keybearer.server.clock import DAY, Clock
from keybearer.server.records import ActivityLog
from keybearer.server.sealing.audit import why_damaged
from keybearer.server.sealing.gaps import PATIENCE, declare_gaps
from keybearer.server.sealing.integrating import integrate
from keybearer.server.sealing.key import Signer
from keybearer.server.sealing.retention import prune_activity
from keybearer.server.sealing.signing import compare, freeze_by_id, sign_decided
from keybearer.server.sealing.witness import Witness
from keybearer.server.store import activity_checkpoints, activity_intake, activity_logs
from keybearer.server.store.database import Database, Transaction
from keybearer.server.store.faults import Conflict, StoreFault
from keybearer.wire.checkpoint import key_from
from keybearer.wire.tiles import WIDTH

P = ParamSpec("P")
T = TypeVar("T")

WITNESS: Final = "activity-checkpoints"
_ALL_CHECKPOINTS_FOR: Final = 7 * DAY  # then one a day

_LOG = structlog.get_logger("keybearer.activity")


class SealingTrouble(Exception):
    """Nothing can be signed here for now: the text says why."""


@dataclass(slots=True)
class _NextTile:
    """Which tile of which log is compared with what is stored next."""

    log_id: int = 0
    tile: int = 0


class Sealer:
    """
    Seals the activity log from one node; of several nodes, one at a time gets its turn.

    Args:
        signer: makes the notes; it knows what the logs' names begin with.
        folder: the data directory, where the witness is kept.
        now: microseconds since 1970 UTC.
        keep_days: for how long records are kept.

    Raises:
        OSError: the witness cannot be opened.
    """

    def __init__(self, database: Database, signer: Signer, folder: Path, now: Clock, keep_days: int = 400) -> None:
        self._database = database
        self.signer = signer
        self._witness = Witness(folder / WITNESS)
        self._now = now
        self._keep_for = keep_days * DAY
        self._is_compared = False
        self._next = _NextTile()
        self.trouble = ""
        """Why nothing can be signed here for now; '' while all is well."""
        self.done_at = now()
        """When a turn was last done to its end; before the first, when this was made."""

    @property
    def base(self) -> str:
        """What the logs' names begin with, and the name of the tree over them."""
        return self.signer.verifier_key.name

    @property
    def verifier_key(self) -> str:
        """The public key in one line, as whoever verifies takes it along."""
        return self.signer.verifier_key.text

    async def turn(self) -> None:
        """
        Do what there is to do; at first also compare the database with all that was ever signed here.

        Raises:
            StoreFault: the database is away; the next turn goes on.
            SealingTrouble: the witness cannot be written, or the logs are signed with another key than this node's.
        """
        try:
            await self._settle_key()
            if not self._is_compared:
                await compare(self._database, self._witness, self._now())
                self._is_compared = True
            await self.seal()
            if await activity_intake.missing_since(self._database, self._now() - PATIENCE):
                await self._database.transact(declare_gaps, self._now())
            await self.audit_some()
        except OSError as error:
            self.trouble = f"the file {WITNESS} cannot be written: {error.strerror}"
            raise SealingTrouble(self.trouble) from error
        except SealingTrouble as trouble:
            self.trouble = str(trouble)
            raise
        except StoreFault:
            raise  # a database that is away says so itself
        except Exception as error:
            self.trouble = f"the last turn failed by {type(error).__name__}, which nobody expected: the log says where"
            raise
        self.trouble, self.done_at = "", self._now()

    async def keep(
        self,
        work: Callable[Concatenate[Transaction, str | None, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """
        Run a *work* that keeps reported records, so that they have their places at once, unless something is wrong.

        Args:
            work: its second argument is `keep_once`'s *base*.
        """
        if self._is_compared and not self.trouble:
            try:
                return await self._database.transact(work, self.base, *args, **kwargs)
            except Conflict:
                _LOG.exception("records cannot be given their places")
        return await self._database.transact(work, None, *args, **kwargs)

    async def seal(self) -> None:
        """Give every waiting record its place, and sign what the logs have become."""
        while await activity_logs.has_unplaced(self._database):
            if not await self._database.transact(integrate, self.base, self._now()):
                break  # another node is at it
            await asyncio.sleep(0)
        await sign_decided(self._database, self._witness, self.signer, self._now())

    async def audit_some(self) -> None:
        """Compare the next 256 records with their log's tree, and freeze the log if they do not belong to it."""
        log = await activity_logs.by_id(self._database, self._next.log_id)
        if log is None or log.frozen_at is not None or self._next.tile * WIDTH >= log.size:
            log = await self._next_log()
        if log is None:
            return
        why = await self._database.view(why_damaged, log.log_id, self._next.tile, self._now())
        if why:
            await self._database.transact(freeze_by_id, log.log_id, why, self._now())
        self._next.tile += 1

    async def _next_log(self) -> ActivityLog | None:
        """Go on to the next sound log, after the last one to the first."""
        database = self._database
        log = await activity_logs.next_sound(database, self._next.log_id) or await activity_logs.next_sound(database, 0)
        if log:
            self._next = _NextTile(log.log_id, log.min_index // WIDTH)
        return log

    async def prune(self) -> None:
        """Delete what is old enough: records, by whole months; how far processes came; most checkpoints of a day."""
        before = self._now() - self._keep_for
        while await self._database.transact(prune_activity, before, self._now()):
            pass
        while await self._database.transact(activity_intake.forget_cursors, before):
            pass
        first_whole_day = (self._now() - _ALL_CHECKPOINTS_FOR) // DAY * DAY
        place: tuple[int, int] | None = activity_checkpoints.THIN_FROM
        while place is not None:
            place = await self._database.transact(activity_checkpoints.thin, first_whole_day, place)
        await asyncio.to_thread(self._witness.thin)

    def close(self) -> None:
        """Close the witness."""
        self._witness.close()

    async def _settle_key(self) -> None:
        known = await activity_logs.signing_key(self._database)
        if not known:
            await self._database.transact(activity_logs.sign_with, self.verifier_key)
        elif key_from(known).key != self.signer.verifier_key.key:
            raise SealingTrouble("the activity log is signed with another key than this node has")
