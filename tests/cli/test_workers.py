"""A worker that hangs is killed in the end, and keeps neither the server from ending nor SIGHUP from going on."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

TIMEOUT_S = 60
PROGRAM = """
import socket

import uvicorn

from keybearer.cli.workers import Workers


async def app(scope, receive, send):
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Workers(uvicorn.Config(app, workers=2, lifespan="on"), listener, end_within_s=0.5).run()
"""


@dataclass(frozen=True, slots=True)
class Supervised:
    """A first process with two workers."""

    process: subprocess.Popen[bytes]
    log: Path

    def workers(self, count: int) -> list[int]:
        """Return the ids of the workers that were ready until now, once there are so many."""
        deadline = time.monotonic() + TIMEOUT_S
        while (said := self.log.read_text()).count("Application startup complete") < count:
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
        return [int(found) for found in re.findall(r"Started server process \[(\d+)\]", said)]


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    program, log = tmp_path / "program.py", tmp_path / "log"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program)]
    with log.open("wb") as told, subprocess.Popen(command, stdout=told, stderr=told) as process:
        supervised = Supervised(process, log)
        try:
            yield supervised
        finally:
            process.kill()
            for worker in supervised.workers(2):
                with suppress(OSError):
                    if b"spawn_main" in Path(f"/proc/{worker}/cmdline").read_bytes():
                        os.kill(worker, signal.SIGKILL)


def test_a_server_with_a_worker_that_hangs_ends(supervised: Supervised) -> None:
    os.kill(supervised.workers(2)[0], signal.SIGSTOP)
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(TIMEOUT_S) == 0
    assert supervised.log.read_text().count("a worker does not end, and is killed") >= 1


def test_all_workers_are_replaced_though_one_of_them_hangs(supervised: Supervised) -> None:
    before = supervised.workers(2)
    os.kill(before[0], signal.SIGSTOP)
    supervised.process.send_signal(signal.SIGHUP)
    assert set(supervised.workers(4)) > set(before)
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(TIMEOUT_S) == 0


def test_a_server_that_is_asked_to_end_replaces_no_further_worker(supervised: Supervised) -> None:
    first = min(supervised.workers(2))  # to be made, and so to be replaced; the other may have been ready sooner
    os.kill(first, signal.SIGSTOP)  # so that its replacement takes a while
    supervised.process.send_signal(signal.SIGHUP)
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(TIMEOUT_S) == 0
    assert len(supervised.workers(2)) <= 3
