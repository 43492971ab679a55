"""An example API as a process beside the demo, with an address and a key of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from keybearer.cli.running import listen
from keybearer.cli.trouble import Trouble

_PORTS_TRIED: Final = 20
_PATIENCE_S: Final = 10


@dataclass(frozen=True, slots=True)
class ExampleAPI:
    """
    An API that is about to be started.

    Args:
        folder: its package, with the application in ``main.app``.
        url: where it is called.
        listener: its socket, open already: whoever calls before it has started waits instead of being refused.
    """

    folder: Path
    url: str
    listener: socket.socket

    @contextmanager
    def running(self, keybearer_url: str, key: str, data_dir: Path) -> Iterator[None]:
        """
        Run it while the block lasts.

        Args:
            key: a resource server's.
            data_dir: where it keeps its data and its log.
        """
        environment = {
            "KEYBEARER_URL": keybearer_url,
            "KEYBEARER_KEY": key,
            "PEOPLE_DB": str(data_dir.absolute() / f"{self.folder.name}.db"),
            "PEOPLE_ACTIVITY": str(data_dir.absolute() / f"{self.folder.name}-activity"),
        }
        place = ["--app-dir", str(self.folder.parent.absolute()), "--fd", str(self.listener.fileno())]
        file = data_dir / f"{self.folder.name}.log"
        with os.fdopen(os.open(file, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600), "ab") as log:
            process = subprocess.Popen(  # noqa: S603 - this Python, and words of our own
                [sys.executable, "-m", "uvicorn", *place, f"{self.folder.name}.main:app"],
                env=environment,
                umask=0o077,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self.listener.fileno()],
            )
        self.listener.close()  # now it is the process's alone: when that has ended, calls are refused
        try:
            yield
        finally:
            _end(process)


@contextmanager
def prepared(folder: Path, host: str, port: int) -> Iterator[ExampleAPI]:
    """
    Open the socket of the API in *folder*, on the next port from *port* on that is free.

    Raises:
        Trouble: there is no API, or no port for it, or FastAPI is not installed.
    """
    if not (folder / "main.py").is_file():
        raise Trouble(f"there is no API in {folder}; name the folder of one, or leave --api out")
    if find_spec("fastapi") is None:
        raise Trouble("the example API needs FastAPI; run 'pip install fastapi', or leave --api out")
    with _next_free(host, port) as listener:
        yield ExampleAPI(folder, f"http://127.0.0.1:{listener.getsockname()[1]}", listener)


def _next_free(host: str, first: int) -> socket.socket:
    last = min(first + _PORTS_TRIED, 65_535)
    for port in range(first, last):
        try:
            return listen(host, port)
        except Trouble:  # taken: the next will do as well
            continue
    return listen(host, last)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
