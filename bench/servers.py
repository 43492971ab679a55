"""The candidates as processes: each on the first processor, the load on the last."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PEERS: Final = ROOT / "bench" / "peers"
_PROCESSORS: Final = sorted(os.sched_getaffinity(0))
_START_TIMEOUT_S: Final = 90
_STOP_TIMEOUT_S: Final = 20
_POLL_S: Final = 0.002


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; ``start_s`` is from its process's beginning to its first answer."""

    port: int
    process_id: int
    start_s: float

    def resident_mb(self) -> float:
        """Tell how much memory the process holds, in MB."""
        status = Path(f"/proc/{self.process_id}/status").read_text("ascii")
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(kilobytes) / 1000


@contextmanager
def keybearer(folder: Path, database_url: str, trusted_proxies: str = "") -> Iterator[Server]:
    """Run `keybearer serve` with one worker on a migrated database; its log goes to a file in *folder*."""
    port = _free_port()
    command = [str(Path(sys.executable).with_name("keybearer")), "serve", "--host", "127.0.0.1", "--port", str(port)]
    settings = {
        "KEYBEARER_DATA_DIR": str(folder / "data"),
        "KEYBEARER_DATABASE_URL": database_url,
        "KEYBEARER_RATE_LIMIT": "999999/minute",
        "KEYBEARER_TRUSTED_PROXIES": trusted_proxies,
    }
    with _running(command, folder, port, "/healthz", settings) as server:
        yield server


@contextmanager
def constant(folder: Path) -> Iterator[Server]:
    """Run the same server with one door that always answers the same."""
    port = _free_port()
    with _running([sys.executable, "-m", "bench.constant", str(port)], folder, port, "/constant") as server:
        yield server


@contextmanager
def echo(folder: Path) -> Iterator[Server]:
    """Run uvicorn with a bare ASGI application that echoes forms."""
    port = _free_port()
    with _running([sys.executable, "-m", "bench.echo", str(port)], folder, port, "/") as server:
        yield server


@contextmanager
def oidc_provider(folder: Path, codes: int) -> Iterator[tuple[Server, list[str]]]:
    """Run oidc-provider with its in-memory adapter, and hand out as many codes as are wanted."""
    port = _free_port()
    listing = folder / "codes"
    command = ["node", str(PEERS / "oidc_provider.mjs"), str(port), str(codes), str(listing)]
    with _running(command, folder, port, "/.well-known/openid-configuration") as server:
        yield server, listing.read_text("ascii").split()


def stay_off_the_servers_processor() -> None:
    """Move this process to the last processor; the servers have the first one for themselves."""
    os.sched_setaffinity(0, {_PROCESSORS[-1]})


@contextmanager
def _on_the_servers_processor() -> Iterator[None]:
    """Let what is started meanwhile inherit the first processor."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {_PROCESSORS[0]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


@contextmanager
def _running(
    command: Sequence[str], folder: Path, port: int, path: str, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run *command* until the block ends; it is ready when it answers a GET of *path*."""
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **(settings or {})}
    began = time.perf_counter()
    with (folder / f"{port}.log").open("wb") as log, _on_the_servers_processor():
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        _wait_until_ready(process, port, path, Path(log.name))
        yield Server(port, process.pid, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not _answers(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(_POLL_S)


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
