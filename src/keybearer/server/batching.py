"""Serve callers who come at the same moment by one call: one transaction, one commit, a few statements for them all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

from keybearer.server.store.faults import OutcomeUnknown

T = TypeVar("T")
Asked = TypeVar("Asked")
Asked_contra = TypeVar("Asked_contra", contravariant=True)
Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)

_AT_MOST: Final = 64  # callers; more would make the first of them wait for too long


class _Act(Protocol):
    def __call__(self, work: Callable[[Any], Awaitable[T]], /) -> Awaitable[T]: ...


class _Serve(Protocol[Asked_contra, Answer_co]):
    def __call__(
        self,
        store: Any,  # handed through from `act`
        asked: Sequence[Asked_contra],
        /,
        *,
        is_alone: bool,
    ) -> Awaitable[Sequence[Answer_co | None]]: ...


class Batcher(Generic[Asked, Answer]):
    """
    Gathers callers until a call's work begins, and serves them all by that call.

    The next call begins when the work of the one before is done: while that one is being committed, callers gather and
    the next one works. A third beside these two would only make each of them smaller.

    Nobody waits for company: a caller who comes alone is served alone, at once. If one goes away, the others do not
    notice, and what it asked for is done. After a fault that kept nothing, each is served alone; after one that leaves
    the outcome open, all are told so.

    Args:
        act: does a call's work on the store, and returns when what it did is kept.
        serve: the work: answers each of several, in their order, and keeps none of them waiting for the sake of one:
            that one gets None, and is served again alone (``is_alone``), beside the others.
    """

    def __init__(self, act: _Act, serve: _Serve[Asked, Answer]) -> None:
        self._act = act
        self._serve = serve
        self._waiting: deque[_Caller[Asked, Answer]] = deque()
        self._at_work: _Group[Asked, Answer] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked) -> Answer:
        """Give the answer to *asked*, or raise what the call raises for it alone."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        caller = _Caller(asked, answer)
        self._waiting.append(caller)
        self._go_on()
        return await caller.answer

    def _go_on(self) -> None:
        """Begin a call for those who wait, unless there is one that has not done its work."""
        if self._waiting and self._at_work is None:
            self._at_work = _Group()
            self._begin(self._call(self._at_work))

    def _begin(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(call)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, group: "_Group[Asked, Answer]") -> None:
        call = asyncio.ensure_future(self._act(lambda store: self._work(store, group)))
        await asyncio.wait((call,))
        self._gather(group)  # for a call that failed before its work began
        self._let_go(group)
        fault = call.exception()
        if fault is None:
            told = zip(group.callers, call.result(), strict=True)
            alone = [caller for caller, answer in told if not caller.tell(answer)]
        elif len(group.callers) > 1 and not isinstance(fault, OutcomeUnknown):
            alone = group.callers
        else:
            alone = []
            for caller in group.callers:
                caller.fail(type(fault)(*fault.args) if len(group.callers) > 1 else fault)
        for caller in alone:
            self._begin(self._call(_Group([caller], is_alone=True)))

    async def _work(self, store: Any, group: "_Group[Asked, Answer]") -> Sequence[Answer | None]:
        self._gather(group)
        try:
            return await self._serve(store, [caller.asked for caller in group.callers], is_alone=group.is_alone)
        finally:
            self._let_go(group)

    def _gather(self, group: "_Group[Asked, Answer]") -> None:
        """Take those who wait into the group; once, for a work may be run again from its start."""
        if not group.callers:
            group.callers = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_MOST))]

    def _let_go(self, group: "_Group[Asked, Answer]") -> None:
        """Have the next call begin, if this group's was at work."""
        if self._at_work is group:
            self._at_work = None
            self._go_on()


@dataclass(frozen=True, slots=True)
class _Caller(Generic[Asked, Answer]):
    asked: Asked
    answer: asyncio.Future[Answer]

    def tell(self, answer: Answer | None) -> bool:
        """Pass the answer on, unless the caller has gone away; False if there is none."""
        if answer is not None and not self.answer.done():
            self.answer.set_result(answer)
        return answer is not None

    def fail(self, fault: BaseException) -> None:
        """Pass on what went wrong."""
        if not self.answer.done():
            self.answer.set_exception(fault)


@dataclass(slots=True, eq=False)
class _Group(Generic[Asked, Answer]):
    """Who is served by one call; nobody until its work begins."""

    callers: list[_Caller[Asked, Answer]] = field(default_factory=list)
    is_alone: bool = False
