"""The server as a process: its socket, its signals, its workers."""

import functools
import gc
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, cast

import structlog
import uvicorn
from starlette.applications import Starlette

from keybearer.cli.logs import log_to_stderr
from keybearer.cli.orphans import end_with_parent
from keybearer.cli.scraping import Scraped, answer_metrics
from keybearer.cli.trouble import Trouble, unusable_data_dir
from keybearer.cli.workers import Workers
from keybearer.server.app import build_app
from keybearer.server.connections.connection import Connection
from keybearer.server.metrics.workers import folder_of_workers
from keybearer.server.settings import Settings

BACKLOG: Final = 2048
KEEP_ALIVE_S: Final = 75  # longer than the 60 s of usual proxies, so that it is they who close an idle connection
HEALTH_S: Final = 30  # what a worker is given to answer its supervisor; a busy machine needs more than five to start it
DRAIN_S: Final = 30  # what a request in flight is given after SIGTERM
END_S: Final = DRAIN_S + 10  # and a worker, before it is killed; systemd would, after the 45 s of docs/operations.md
_FAILED: Final = 1
# The collector looks at new objects when there are so many. One batch of records has several times Python's 700, all of
# them in use while it is under way.
_YOUNG_OBJECTS: Final = 10_000


class Server(uvicorn.Server):
    """uvicorn's server, told apart in two things: a drained end is a good end, and it says when it listens."""

    def __init__(self, config: uvicorn.Config, when_listening: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._when_listening = when_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started:
            self._when_listening()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT drain, then exit 0: uvicorn would end the process by the same signal."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def listen(host: str, port: int, by: str = "--host and --port") -> socket.socket:
    """
    Open a listening socket; on `::` it takes IPv4, too, as others do.

    A client that takes nothing of its answers is kept for as long as one that asks nothing.

    Args:
        by: what the operator chooses them by.

    Raises:
        Trouble: the address is taken, not this machine's, or empty.
    """
    if not host:
        raise Trouble("--host is empty; name the address to listen on, such as 127.0.0.1, or 0.0.0.0 for all")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=host == "::")
    except OSError as error:
        raise Trouble(
            f"cannot listen on {host} port {port} ({(error.strerror or '').partition(' (while ')[0]}); "
            f"stop what listens there, or choose another address or port with {by}"
        ) from None
    if sys.platform == "linux":  # each connection has it from here; elsewhere there is no such option
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, KEEP_ALIVE_S * 1000)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the URL of what *listener* takes."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def own_address(settings: Settings, listener: socket.socket) -> Settings:
    """Return the settings with the port listened on in the issuer, where the operator chose no issuer."""
    if "issuer" in settings.model_fields_set:
        return settings
    address, port = listener.getsockname()[:2]
    return settings.model_copy(update={"issuer": f"http://{'[::1]' if address == '::1' else '127.0.0.1'}:{port}"})


def run_server(
    settings: Settings,
    listener: socket.socket,
    workers: int = 1,
    when_listening: Callable[[], None] = lambda: None,
    log: Callable[[], None] = log_to_stderr,
) -> int:
    """
    Serve until SIGTERM or SIGINT, and let requests in flight finish.

    Args:
        settings: what the operator chose.
        listener: the socket that `listen` opened; closed at the end.
        workers: processes that share it; 1 stays in this process.
        when_listening: called once calls are taken, and signals.
        log: sets the log up, in each process.

    Returns:
        The exit code: 0 when it ended because it was asked to.
    """
    settings = own_address(settings, listener)
    with ExitStack() as held:
        held.enter_context(listener)
        scraped = _scraped(settings, workers, held)
        make_app = functools.partial(_make_app, settings, log, scraped)
        config = uvicorn_config(make_app, workers, settings.request_timeout)
        tell = functools.partial(_tell_address, address_of(listener), settings.issuer, when_listening)
        if workers > 1:
            log()
            supervisor = Workers(config, listener, END_S)
            tell()
            return _run_workers(supervisor)
        server = Server(config, tell)
        try:
            server.run([listener])
        except SystemExit:
            return _FAILED  # uvicorn's word for a start that failed; it is in the log
        return 0


def _tell_address(url: str, issuer: str, when_listening: Callable[[], None]) -> None:
    """Say in the log where calls are taken, and where people sign in: uvicorn knows it of its own sockets alone."""
    structlog.get_logger(__name__).info("listening", url=url, issuer=issuer)
    when_listening()


def _scraped(settings: Settings, workers: int, held: ExitStack) -> Scraped | None:
    """Open the socket for metrics and, for several workers, the folder by which they share theirs; *held* ends both."""
    if settings.metrics_address is None:
        return None
    listener = held.enter_context(listen(*settings.metrics_address, by="KEYBEARER_METRICS_LISTEN"))
    if workers == 1:
        return Scraped(listener, None)
    try:
        return Scraped(listener, held.enter_context(folder_of_workers(settings.data_dir.absolute())))
    except OSError as error:
        raise unusable_data_dir(error) from None


def _make_app(settings: Settings, log: Callable[[], None], scraped: Scraped | None) -> Starlette:
    """Build the application in the process that runs it."""
    log()
    end_with_parent()
    app = build_app(settings)
    if scraped:
        answer_metrics(app, scraped, lambda make: uvicorn_config(make, 1, settings.request_timeout))
    spare_collector()
    return app


def spare_collector() -> None:
    """Have the garbage collector look at new objects less often, and never again at what there is now."""
    gc.set_threshold(_YOUNG_OBJECTS, 10, 10)
    gc.freeze()  # what was imported stays for good


def uvicorn_config(make_app: Callable[[], Starlette], workers: int, patience_s: float = 10) -> uvicorn.Config:
    """
    Return how uvicorn serves what *make_app* makes.

    Args:
        patience_s: seconds that the head of a request may take to arrive.
    """
    return uvicorn.Config(
        make_app,
        factory=True,
        workers=workers,
        loop="uvloop",
        http=cast("type[Connection]", functools.partial(Connection, patience_s)),  # it is only ever called
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_worker_healthcheck=HEALTH_S,
    )


def _run_workers(supervisor: Workers) -> int:
    supervisor.run()
    has_failed = any(worker.exitcode == uvicorn.config.STARTUP_FAILURE for worker in supervisor.processes)
    return _FAILED if has_failed else 0
