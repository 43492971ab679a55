"""Run the works that wait at one moment in one SQLite transaction, so that they share its COMMIT."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import structlog

from keybearer.server.fault_log import FaultLog
from keybearer.server.store.commits import Commits
from keybearer.server.store.database import Transaction
from keybearer.server.store.faults import OutcomeUnknown, StoreUnavailable
from keybearer.server.store.listeners import Listeners
from keybearer.server.store.sqlite_writer import SqliteSession
from keybearer.server.waiting import is_set_within

T = TypeVar("T")

_LOG = structlog.get_logger(__name__)
_LARGEST_GROUP = 64  # works; more would keep the event loop from everything else for too long
_WORKS_A_TURN = 8  # works run before the event loop may look after others
_QUIET_S = 0.01  # without a work


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Transaction], Awaitable[Any]]
    answer: asyncio.Future[Any]
    is_synced: bool


@dataclass(frozen=True, slots=True)
class _Done:
    """What a work returned, or what it raised; and what it says that it did."""

    job: _Job
    returned: Any = None
    raised: BaseException | None = None
    done: Sequence[str] = ()

    def tell(self) -> None:
        """Answer the caller, unless they have gone away: that must not hurt the others."""
        if self.job.answer.done():
            return
        if self.raised is None:
            self.job.answer.set_result(self.returned)
        else:
            self.job.answer.set_exception(self.raised)


class GroupWriter:
    """The one task through which all transactions of this process go."""

    def __init__(self, session: SqliteSession, listeners: Listeners) -> None:
        self._session = session
        self._listeners = listeners
        self.commits = Commits()
        self._waiting: deque[_Job] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._refusal = FaultLog(_LOG, "the database keeps nothing")
        self._task = asyncio.create_task(self._serve(), name="store-writer")

    @property
    def waiting(self) -> int:
        """How many works wait for a group."""
        return len(self._waiting)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, is_synced: bool = True) -> T:
        """
        Run *work* in the next group; see `Database.transact`.

        Args:
            is_synced: the group is on the disk when this ends; else it may be, if another work wants that.
        """
        if self._closing or self._task.done():
            raise StoreUnavailable("the database is closed")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(work, answer, is_synced))
        self._wake.set()
        return cast("T", await answer)

    async def close(self) -> None:
        """Finish what waits and take nothing new; the session stays open."""
        self._closing = True
        self._wake.set()
        await asyncio.wait((self._task,))

    async def _serve(self) -> None:
        try:
            while self._waiting or not self._closing:
                if not self._waiting:
                    await self._rest()
                    continue
                await self._answer(self._take())
                await self._session.shorten_log()
        finally:
            for job in self._waiting:
                _Done(job, raised=StoreUnavailable("the database was closed")).tell()

    async def _rest(self) -> None:
        self._wake.clear()
        if not await is_set_within(self._wake, _QUIET_S):
            await self._session.shorten_log(is_quiet=True)
            await self._wake.wait()

    def _take(self) -> list[_Job]:
        group: list[_Job] = []
        while self._waiting and len(group) < _LARGEST_GROUP:
            job = self._waiting.popleft()
            if not job.answer.done():  # else the caller has gone away before the work began
                group.append(job)
        return group

    async def _answer(self, group: list[_Job]) -> None:
        done: list[_Done] = []
        try:
            done = await self._keep(group)
        except StoreUnavailable as fault:
            done = await self._give_up(group, fault)
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the only writer
            _LOG.exception("the writer failed")
            done = await self._give_up(group, OutcomeUnknown(repr(error)))
        finally:  # a writer that is stopped, or that fails by a fault of ours, leaves nobody waiting
            for one in done or [_Done(job, raised=OutcomeUnknown("the writer was stopped")) for job in group]:
                one.tell()

    async def _give_up(self, group: list[_Job], fault: StoreUnavailable) -> list[_Done]:
        """Tell all of them the same, even those who were refused: the reason may have been rolled back too."""
        self._refusal.failed(fault)
        await self._session.renew()
        return [_Done(job, raised=type(fault)(*fault.args)) for job in group]

    async def _keep(self, group: list[_Job]) -> list[_Done]:
        is_synced = any(job.is_synced for job in group)
        await self._session.begin(is_synced=is_synced)
        done = []
        for turn, job in enumerate(group, 1):
            done.append(await self._run(job))
            if turn % _WORKS_A_TURN == 0:
                await asyncio.sleep(0)
        position = self._session.number() if is_synced else None
        began = time.perf_counter()
        await self._session.commit()
        self._refusal.recovered()
        self.commits.note(time.perf_counter() - began, len(group), [word for each in done for word in each.done])
        self._listeners.tell(position)
        return done

    async def _run(self, job: _Job) -> _Done:
        part = self._session.open_part()
        try:
            returned = await job.work(part)
            self._session.keep_part()
        except asyncio.CancelledError as error:
            self._session.drop_part()
            if self._task.cancelling():  # the writer itself is stopped
                raise
            return _Done(job, raised=error)
        except Exception as error:  # noqa: BLE001 - what a work raises is its caller's
            self._session.drop_part()
            return _Done(job, raised=error)
        return _Done(job, returned, done=part.done)
