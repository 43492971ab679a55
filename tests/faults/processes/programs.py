"""The verifiers' processes, as the test has them in its hand."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.processes.ledger import Ledger
from tests.support.chaos import ChaosProxy

PATIENCE_S = 60.0  # of a crowded machine; nothing is concluded from it
_ROOT = Path(__file__).parents[3]
_LOOK_S = 0.01


async def until(is_so: Callable[[], bool], what: str) -> None:
    """
    Wait for something to come about.

    Raises:
        AssertionError: it did not.
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not is_so():
        assert asyncio.get_running_loop().time() < deadline, f"it did not come about: {what}"
        await asyncio.sleep(_LOOK_S)


@dataclass(slots=True)
class VerifierProcess:
    """
    One verifier, behind a proxy of its own.

    Args:
        urls: of the nodes that it asks, with commas between them; the first is behind *proxy*.
        mistake: what it does wrong; '' for nothing.
        ahead_s: by how much its machine's CLOCK_BOOTTIME is ahead of the host's, and of its own CLOCK_MONOTONIC.
    """

    name: str
    urls: str
    key: str
    proxy: ChaosProxy
    ledger: Ledger
    mistake: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    ahead_s: int = 0
    _process: Process | None = None
    _reading: asyncio.Task[None] | None = None
    _done: list[float] = field(default_factory=list)

    @property
    def knows_another(self) -> bool:
        """Whether there is a node that its proxy does not stand before."""
        return "," in self.urls

    async def start(self) -> None:
        """Start it, and have it watch what it watched before; it is up when this returns."""
        command = [
            *_ahead_by(self.ahead_s),
            sys.executable,
            "-m",
            "tests.faults.processes.verifying",
            self.urls,
            self.key,
            self.mistake,
        ]
        self._process = await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdin=PIPE, stdout=PIPE)
        self._reading = asyncio.create_task(self._read(self._process))
        done = len(self._done) + len(self.tokens)
        for name, text in self.tokens.items():
            self._write("watch", name, text)
        await until(lambda: len(self._done) >= done, f"{self.name} is up")

    def watch(self, name: str, text: str) -> None:
        """Have it look at one more token."""
        self.tokens[name] = text
        self._write("watch", name, text)

    async def order(self, word: str, seconds: float) -> float:
        """Move its clocks; return when that was done."""
        before = len(self._done)
        self._write(word, str(seconds))
        await until(lambda: len(self._done) > before, f"{self.name} takes the order {word}")
        return self._done[-1]

    def signal(self, number: signal.Signals) -> None:
        """Stop it, let it go on, or kill it."""
        assert self._process is not None
        os.kill(self._process.pid, number)

    async def kill(self) -> None:
        """Kill it, and take in what it still said."""
        if self._process is None or self._reading is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading
        self._process = None

    def _write(self, *words: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{' '.join(words)}\n".encode())

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        while (line := await process.stdout.readline()).endswith(b"\n"):
            name, outcome, said_at = line.decode().split()
            at = float(said_at) - self.ahead_s
            if name == "done":
                self._done.append(at)
            else:
                self.ledger.note(self.name, name, outcome, at)


async def has_time_namespaces() -> bool:
    """Tell whether processes can be given a CLOCK_BOOTTIME of their own here."""
    apart = "import time; print(time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic() > 5e8)"
    try:
        command = [*_ahead_by(1_000_000_000), sys.executable, "-c", apart]
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=DEVNULL)
    except FileNotFoundError:
        return False
    return (await process.communicate())[0] == b"True\n"


def _ahead_by(seconds: int) -> list[str]:
    return ["unshare", "--time", "--boottime", str(seconds)] if seconds else []


@asynccontextmanager
async def running(verifiers: list[VerifierProcess]) -> AsyncIterator[None]:
    """Run them while the block lasts."""
    await asyncio.gather(*(verifier.start() for verifier in verifiers))
    try:
        yield
    finally:
        await asyncio.gather(*(verifier.kill() for verifier in verifiers))
