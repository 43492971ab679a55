"""The server as a process: it drains when it is asked to end, shares its port among workers, and tells its state."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import time
from importlib.metadata import version
from pathlib import Path

import httpx2
import pytest

from tests.support.databases import PostgresDatabases, copy_sqlite
from tests.support.processes import ServerProcess, running, running_server, scraped_server, server_process
from tests.support.scraped import scrape_process

READY_S = 30


@pytest.fixture
def url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """Have an embedded database: what is tested here is the process."""
    return copy_sqlite(migrated_sqlite, tmp_path / "keybearer.db")


def readiness(server: ServerProcess) -> tuple[int, dict[str, str]]:
    answer = httpx2.get(f"{server.url}/readyz", timeout=20)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_lets_a_request_in_flight_finish_and_takes_no_new_ones(url: str, tmp_path: Path, workers: int) -> None:
    server = server_process(tmp_path, url)
    server.workers = workers
    with running(server):
        wait_for_workers(server, workers)
        body = b"grant_type=refresh_token&client_id=none"
        head = (
            b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" % len(body)
        )
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as in_flight:
            in_flight.sendall(head + body[:10])
            time.sleep(0.3)  # the server has read the head; there is nothing outside to see that by
            process = server._process
            assert process is not None
            process.terminate()
            wait_until_refused(server.port)
            assert process.poll() is None
            in_flight.sendall(body[10:])
            heard = b"".join(iter(lambda: in_flight.recv(65536), b""))
        assert heard.startswith(b"HTTP/1.1 401 ")
        assert b"invalid_client" in heard
        assert process.wait(20) == 0
    assert "connection: close" in heard.decode().lower()


def wait_until_refused(port: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
            time.sleep(0.02)
            continue
        return
    raise AssertionError("the server still takes connections")


def test_an_idle_connection_does_not_hold_the_end_up(url: str, tmp_path: Path) -> None:
    with (
        running_server(tmp_path, url) as server,
        httpx2.Client(base_url=server.url) as client,
        socket.create_connection(("127.0.0.1", server.port)),
    ):
        assert client.get("/healthz").json() == {"status": "alive"}
        assert server.stop() == 0


def test_several_workers_share_the_ports_are_scraped_as_one_and_all_end_well(url: str, tmp_path: Path) -> None:
    server = scraped_server(tmp_path, url)
    server.workers = 2
    with running(server):
        for count in (10, 20):
            assert {httpx2.get(f"{server.url}/healthz", timeout=20).status_code for _ in range(10)} == {200}
            while (counted := healthy_answers(server)) != count:  # workers tell each other once a second
                assert counted < count
                time.sleep(0.05)
            (first, *others) = started(server)
            if not others[1:]:
                os.kill(first, signal.SIGKILL)
                wait_for_workers(server, 3)
        assert httpx2.get(f"{server.url}/metrics", timeout=20).status_code == 404
        assert server.stop() == 0
    assert server.log.count("Application startup complete") == 3


def test_workers_whose_first_process_was_killed_end_and_leave_the_port_to_the_next(url: str, tmp_path: Path) -> None:
    server = server_process(tmp_path, url)
    server.workers = 2
    with running(server):
        wait_for_workers(server, 2)
        os.kill(server.process_id, signal.SIGKILL)
        try:
            wait_until_refused(server.port)
        finally:
            server.kill()


def healthy_answers(server: ServerProcess) -> float:
    return scrape_process(server).value("requests_total", method="GET", route="/healthz", status="200")


def started(server: ServerProcess) -> list[int]:
    return [int(found) for found in re.findall(r"Started server process \[(\d+)\]", server.log)]


def wait_for_workers(server: ServerProcess, count: int) -> None:
    deadline = time.monotonic() + READY_S
    while server.log.count("Application startup complete") < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_server_that_is_scraped_ends_however_its_scrapers_behave(url: str, tmp_path: Path) -> None:
    with (
        running(scraped_server(tmp_path, url)) as server,
        socket.create_connection(("127.0.0.1", server.metrics_port)),
        socket.create_connection(("127.0.0.1", server.metrics_port)) as slow,
    ):
        slow.sendall(b"GET /metrics HTTP/1.1\r\n")
        assert scrape_process(server).value("build_info", version=version("keybearer")) == 1
        assert server.stop() == 0
        wait_until_refused(server.metrics_port)


def test_a_database_of_another_revision_is_not_ready_and_recovers(url: str, tmp_path: Path) -> None:
    with running_server(tmp_path, url) as server, contextlib.closing(sqlite3.connect(url[10:])) as database:
        assert readiness(server) == (200, {"status": "ready"})
        (revision,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        for version, status in (("9999", 503), (revision, 200)):
            database.execute("UPDATE alembic_version SET version_num = ?", (version,))
            database.commit()
            assert readiness(server)[0] == status
        assert httpx2.get(f"{server.url}/healthz").status_code == 200


def test_a_database_that_is_away_is_not_ready_and_everything_says_503_until_it_is_back(
    migrated_postgres: PostgresDatabases, tmp_path: Path
) -> None:
    with migrated_postgres.fresh() as url, running_server(tmp_path, url) as server:
        name = url.partition("?")[0].rsplit("/", 1)[1]
        control = migrated_postgres
        control._wait(control._connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        control._wait(
            control._connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
        )
        status, said = readiness(server)
        assert (status, said["status"]) == (503, "unavailable")
        login = httpx2.get(f"{server.url}/login", headers={"cookie": "kb_session=x; __Host-kb_session=x"}, timeout=20)
        assert login.status_code in {200, 503}
        assert httpx2.get(f"{server.url}/healthz").status_code == 200
        control._wait(control._connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
        deadline = time.monotonic() + READY_S
        while readiness(server)[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert server.stop() == 0
    assert [line for line in server.log.splitlines() if not json.loads(line)["event"]] == []
