"""What may befall a node from outside: system calls that kill it, rows and locks of others, its wall clock."""

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import apsw
import httpx2

from tests.faults.processes.programs import until
from tests.faults.processes.rig import Rig
from tests.faults.processes.troubles import NodeTrouble
from tests.server.store.trial import execute

_WRITING: Final = "fdatasync,pwrite64,sendto"
_MOST_CALLS: Final = 12
_MOST_ENDS: Final = 12
_POISON: Final = {
    "F22 an event of the future": "('wombat.moved', 'wombat:1', 1)",
    "F24 a blank event": "('', '', 0)",
    "F24 an event of a hundred thousand words": "('user.changed', '" + "word " * 100_000 + "', 1)",
}


@asynccontextmanager
async def node_killed_at_a_call(rig: Rig) -> AsyncIterator[None]:
    """F1: kill the first node at one of the system calls with which it writes down, or says, that a token ended."""
    pid = rig.node.process_id
    inject = f"inject={_WRITING}:signal=SIGKILL:when={rig.random.randint(1, _MOST_CALLS)}"
    command = ["strace", "-f", "-q", "-p", str(pid), "-e", f"trace={_WRITING}", "-e", inject]
    strace = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
    await until(lambda: strace.returncode is not None or _is_traced(pid), "strace is attached")
    async with httpx2.AsyncClient(timeout=5) as api:
        for _ in range(_MOST_ENDS):
            if not rig.node.is_running():
                break
            name, text = rig.new_token()
            if await rig.delete(api, rig.node, text) == 204:
                rig.acknowledge(name, text)
    if rig.node.is_running():
        rig.node.kill()
    await strace.wait()
    yield
    await asyncio.to_thread(rig.node.start)


def _is_traced(pid: int) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


@asynccontextmanager
async def _poisoned(row: str, rig: Rig) -> AsyncIterator[None]:
    await execute(rig.store.url, f"INSERT INTO feed_pending (kind, subject, at) VALUES {row}")  # noqa: S608 - ours
    yield


@asynccontextmanager
async def snapshot_held(rig: Rig) -> AsyncIterator[None]:
    """F21: another process reads the file, and does not come to an end."""
    with apsw.Connection(_file(rig)) as connection:
        cursor = connection.execute("SELECT * FROM tokens")
        next(cursor)
        yield
        cursor.close()
    connection.close()


@asynccontextmanager
async def write_lock_held(rig: Rig) -> AsyncIterator[None]:
    """F21: another process has the file's write lock for a second."""
    connection = apsw.Connection(_file(rig))
    connection.set_busy_timeout(30_000)
    connection.execute("BEGIN IMMEDIATE")

    async def let_go() -> None:
        await asyncio.sleep(1)
        connection.execute("ROLLBACK")
        connection.close()

    letting_go = asyncio.create_task(let_go())
    yield
    await letting_go


@asynccontextmanager
async def shared_memory_deleted(rig: Rig) -> AsyncIterator[None]:
    """F21: all nodes die, and somebody deletes the `-shm` beside the database: it is made anew from the log."""
    for node in rig.nodes:
        node.kill()
    Path(f"{_file(rig)}-shm").unlink()
    await asyncio.gather(*(asyncio.to_thread(node.start) for node in rig.nodes))
    yield


@asynccontextmanager
async def wall_clock_set(hours: int, rig: Rig) -> AsyncIterator[None]:
    """F12: the wall clock of the first node jumps, and jumps back."""
    assert rig.node_clock is not None
    rig.node_clock.write_text(f"{hours:+d}h\n")
    yield
    rig.node_clock.write_text("+0\n")


FROM_OUTSIDE: Final[dict[str, NodeTrouble]] = {
    "F1 killed at a system call": node_killed_at_a_call,
    **{name: partial(_poisoned, row) for name, row in _POISON.items()},
}
ON_SQLITE_ALONE: Final[dict[str, NodeTrouble]] = {
    "F21 a snapshot is held": snapshot_held,
    "F21 the write lock is held": write_lock_held,
    "F21 -shm is deleted": shared_memory_deleted,
}
WITH_ANOTHER_CLOCK: Final[dict[str, NodeTrouble]] = {
    "F12 set an hour forward": partial(wall_clock_set, 1),
    "F12 set an hour back": partial(wall_clock_set, -1),
}


def _file(rig: Rig) -> str:
    return rig.store.url.removeprefix("sqlite:///")
