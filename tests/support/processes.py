"""The server as people run it: a process of its own, started and stopped from outside."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("keybearer")
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 60


@dataclass(slots=True)
class ServerProcess:
    """
    `keybearer serve` on a port of its own; it can be stopped, killed, and started again where it was.

    Args:
        within: the beginning of a command line that ends in being the command behind it.
    """

    folder: Path
    port: int
    environment: dict[str, str]
    workers: int = 1
    within: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where it is reached, and its issuer."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def metrics_port(self) -> int:
        """The port on which it is scraped, if it was set."""
        return int(self.environment["KEYBEARER_METRICS_LISTEN"].rpartition(":")[2])

    @property
    def log(self) -> str:
        """What it has written to stderr and stdout."""
        return (self.folder / "server.log").read_text("utf-8")

    def start(self) -> None:
        """Start it, and wait until it says that it can serve."""
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.within, PROGRAM, "serve", *place],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready(self._process)

    def stop(self) -> int:
        """Ask it to finish (SIGTERM) and return its exit code."""
        process = self._running()
        process.terminate()
        try:
            return process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"the server did not finish within {STOP_TIMEOUT_S} s: {self.log}") from None

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL), its workers too."""
        process = self._running()
        self.signal(signal.SIGKILL)
        process.wait(STOP_TIMEOUT_S)

    @property
    def process_id(self) -> int:
        """Its first process."""
        return self._running().pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and its workers."""
        os.killpg(self._running().pid, number)

    def is_running(self) -> bool:
        """Tell whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `keybearer WORDS` beside it, with its settings."""
        return subprocess.run(
            [PROGRAM, *words],
            env=self.environment,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            check=False,
        )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}: {self.log}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server was not ready within {START_TIMEOUT_S} s: {self.log}")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def free_port(but: int = 0) -> int:
    """Return a port of the loopback address that nobody listens on, another one than *but*."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port if port != but else free_port(but)


def scraped_server(folder: Path, database_url: str, settings: dict[str, str] | None = None) -> ServerProcess:
    """Prepare a server that answers its metrics, too; the arguments are those of `server_process`."""
    server = server_process(folder, database_url, settings)
    server.environment["KEYBEARER_METRICS_LISTEN"] = f"127.0.0.1:{free_port(but=server.port)}"
    return server


def server_process(folder: Path, database_url: str, settings: dict[str, str] | None = None) -> ServerProcess:
    """
    Prepare a server; it is not started yet.

    Args:
        folder: its home: data, log and all it writes.
        database_url: its database.
        settings: more `KEYBEARER_…` variables.
    """
    port = free_port()
    environment = {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "KEYBEARER_DATA_DIR": str(folder / "data"),
        "KEYBEARER_DATABASE_URL": database_url,
        "KEYBEARER_ISSUER": f"http://127.0.0.1:{port}",
        **(settings or {}),
    }
    return ServerProcess(folder, port, environment)


@contextmanager
def running_server(folder: Path, database_url: str, settings: dict[str, str] | None = None) -> Iterator[ServerProcess]:
    """Run a server while the block lasts; the arguments are those of `server_process`."""
    with running(server_process(folder, database_url, settings)) as server:
        yield server


@contextmanager
def running(server: ServerProcess) -> Iterator[ServerProcess]:
    """Run this server while the block lasts."""
    server.start()
    try:
        yield server
    finally:
        if server.is_running():
            server.stop()
