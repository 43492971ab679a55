"""What may befall a verifier, and what a node: each is there while its block lasts, and numbered as in issue 3."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from random import Random
from typing import Final

from tests.faults.processes.programs import VerifierProcess
from tests.faults.processes.rig import Rig
from tests.support.chaos import ChaosProxy, losing

Trouble = Callable[[Rig, VerifierProcess], AbstractAsyncContextManager[None]]
NodeTrouble = Callable[[Rig], AbstractAsyncContextManager[None]]

_DAY_S: Final = 86_400.0
_HOUR_S: Final = 3_600.0
_TICK_S: Final = 0.05


def _loses(way: ChaosProxy, random: Random) -> None:
    for direction in (way.there, way.back):
        direction.delay_s = losing(random.uniform(0.01, 0.3), random)


def _is_slow(way: ChaosProxy, random: Random) -> None:
    way.back.delay_s = lambda: random.uniform(0, 4)


def _doubles(way: ChaosProxy, _: Random) -> None:
    way.back.copies = 2


def _cuts_short(way: ChaosProxy, random: Random) -> None:
    way.back.bytes_left = random.randrange(600)


def _turns_away(way: ChaosProxy, _: Random) -> None:
    way.is_refusing = True
    way.reset()


def _replays(way: ChaosProxy, _: Random) -> None:
    way.is_replaying = True


WAYS: Final[dict[str, Callable[[ChaosProxy, Random], None]]] = {
    "F7 cut off": lambda way, _: way.stall(),
    "F7 not heard": lambda way, _: way.there.stall(),
    "F7 told nothing": lambda way, _: way.back.stall(),
    "F7 turned away": _turns_away,
    "F8 losing": _loses,
    "F8 slow": _is_slow,
    "F8 cut short": _cuts_short,
    "F9 half-open": lambda way, _: way.freeze(),
}
HTTP_WAYS: Final = WAYS | {"F8 doubled": _doubles, "F9 replayed": _replays}


@asynccontextmanager
async def _on_a_way(
    how: Callable[[ChaosProxy, Random], None], rig: Rig, verifier: VerifierProcess
) -> AsyncIterator[None]:
    how(verifier.proxy, rig.random)
    yield
    verifier.proxy.heal()


@asynccontextmanager
async def _killed(_: Rig, verifier: VerifierProcess) -> AsyncIterator[None]:
    await verifier.kill()
    yield
    await verifier.start()


@asynccontextmanager
async def _stopped(_: Rig, verifier: VerifierProcess) -> AsyncIterator[None]:
    verifier.signal(signal.SIGSTOP)
    yield
    verifier.signal(signal.SIGCONT)


@asynccontextmanager
async def _starved(_: Rig, verifier: VerifierProcess) -> AsyncIterator[None]:
    async with _starving(verifier.signal):
        yield


@asynccontextmanager
async def _wall_set(by_s: float, _: Rig, verifier: VerifierProcess) -> AsyncIterator[None]:
    await verifier.order("set", by_s)
    yield
    await verifier.order("set", -by_s)


@asynccontextmanager
async def _asleep(rig: Rig, verifier: VerifierProcess) -> AsyncIterator[None]:
    """Let its machine sleep for an hour and wake up cut off: who knows of no other node may accept nothing at all."""
    verifier.proxy.stall()
    woke_at = await verifier.order("sleep", _HOUR_S)
    yield
    accepted = [name for name in verifier.tokens if rig.ledger.latest(verifier.name, name) > woke_at]
    assert verifier.knows_another or not accepted, f"{verifier.name}: after an hour's sleep {accepted} were accepted"
    verifier.proxy.heal()


VERIFIER_TROUBLES: Final[dict[str, Trouble]] = {
    **{name: partial(_on_a_way, how) for name, how in HTTP_WAYS.items()},
    "F2 killed": _killed,
    "F10 stopped": _stopped,
    "F11 starved": _starved,
    "F12 set a day forward": partial(_wall_set, _DAY_S),
    "F12 set a day back": partial(_wall_set, -_DAY_S),
    "F13 asleep": _asleep,
}


@asynccontextmanager
async def _node_killed(rig: Rig) -> AsyncIterator[None]:
    rig.node.kill()
    yield
    await asyncio.to_thread(rig.node.start)


@asynccontextmanager
async def _node_stopped(rig: Rig) -> AsyncIterator[None]:
    rig.node.signal(signal.SIGSTOP)
    yield
    rig.node.signal(signal.SIGCONT)


@asynccontextmanager
async def _node_starved(rig: Rig) -> AsyncIterator[None]:
    async with _starving(rig.node.signal):
        yield


@asynccontextmanager
async def _without_store(how: Callable[[ChaosProxy, Random], None], rig: Rig) -> AsyncIterator[None]:
    assert rig.store_way is not None
    how(rig.store_way, rig.random)
    yield
    rig.store_way.heal()


@asynccontextmanager
async def _store_killed(rig: Rig) -> AsyncIterator[None]:
    assert rig.store.cluster is not None
    rig.store.cluster.kill()
    await asyncio.to_thread(rig.store.cluster.start_again)
    yield


NODE_TROUBLES: Final[dict[str, NodeTrouble]] = {
    "F1 killed": _node_killed,
    "F10 stopped": _node_stopped,
    "F11 starved": _node_starved,
}
STORE_TROUBLES: Final[dict[str, NodeTrouble]] = {
    f"{name}, to the store": partial(_without_store, how) for name, how in WAYS.items()
} | {"F3 PostgreSQL killed": _store_killed}


@asynccontextmanager
async def _starving(send: Callable[[signal.Signals], None]) -> AsyncIterator[None]:
    """Leave a process a tenth of its time."""

    async def starve() -> None:
        while True:
            send(signal.SIGSTOP)
            await asyncio.sleep(0.9 * _TICK_S)
            send(signal.SIGCONT)
            await asyncio.sleep(0.1 * _TICK_S)

    task = asyncio.create_task(starve())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    send(signal.SIGCONT)
