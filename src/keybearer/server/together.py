"""Serve callers who come at the same moment by one call: one transaction, one commit, a few statements for them all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from keybearer.server.store.faults import OutcomeUnknown

Asked_contra = TypeVar("Asked_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)

_AT_MOST: Final = 64  # callers; more would make the first of them wait for too long


class _Serve(Protocol[Asked_contra, Answer_co]):
    def __call__(self, asked: Sequence[Asked_contra], *, is_alone: bool) -> Awaitable[Sequence[Answer_co | None]]: ...


class Together(Generic[Asked_contra, Answer_co]):
    """
    Gathers what is asked while a call runs, and asks it in the next; a second call beside it would make both smaller.

    Nobody waits for company: whoever comes alone is served alone, at once. A caller who goes away leaves the others
    alone, and what he asked for is done. After a fault that kept nothing, each one is served by himself; after one
    that leaves the outcome open, all are told so.

    Args:
        serve: answers each of several, in their order, and keeps none of them waiting for the sake of one: that one
            gets None, and is served again alone (``is_alone``), beside the others.
    """

    def __init__(self, serve: "_Serve[Asked_contra, Answer_co]") -> None:
        self._serve = serve
        self._waiting: deque[_Caller[Asked_contra, Answer_co]] = deque()
        self._is_at_work = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked_contra) -> Answer_co:
        """Give the answer to *asked*, or raise what ``serve`` raises for it alone."""
        answer: asyncio.Future[Answer_co] = asyncio.get_running_loop().create_future()
        caller = _Caller(asked, answer)
        self._waiting.append(caller)
        if not self._is_at_work:
            self._is_at_work = True
            self._begin(self._serve_waiting())
        return await caller.answer

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve_waiting(self) -> None:
        try:
            while self._waiting:
                group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_MOST))]
                for caller in await self._serve_group(group, is_alone=False):
                    self._begin(self._serve_alone(caller))
        finally:
            self._is_at_work = False  # at once: whoever comes before the task counts as done must not rely on it

    async def _serve_alone(self, caller: "_Caller[Asked_contra, Answer_co]") -> None:
        await self._serve_group([caller], is_alone=True)

    async def _serve_group(
        self, group: list["_Caller[Asked_contra, Answer_co]"], *, is_alone: bool
    ) -> list["_Caller[Asked_contra, Answer_co]"]:
        """Serve a group by one call, and return those who must be served alone."""
        call = asyncio.ensure_future(self._serve([caller.asked for caller in group], is_alone=is_alone))
        await asyncio.wait((call,))
        fault = call.exception()
        if fault is None:
            return [caller for caller, answer in zip(group, call.result(), strict=True) if not caller.tell(answer)]
        if len(group) > 1 and not isinstance(fault, OutcomeUnknown):
            return group
        for caller in group:
            caller.fail(type(fault)(*fault.args) if len(group) > 1 else fault)
        return []


@dataclass(frozen=True, slots=True)
class _Caller(Generic[Asked_contra, Answer_co]):
    asked: Asked_contra
    answer: asyncio.Future[Answer_co]

    def tell(self, answer: Answer_co | None) -> bool:
        """Pass the answer on, unless the caller has gone away; False if there is none."""
        if answer is not None and not self.answer.done():
            self.answer.set_result(answer)
        return answer is not None

    def fail(self, fault: BaseException) -> None:
        """Pass on what went wrong."""
        if not self.answer.done():
            self.answer.set_exception(fault)
