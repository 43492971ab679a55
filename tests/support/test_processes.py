"""A server process is ready when it is handed over, quotes itself when it fails, and is gone afterwards."""

import stat
import sys
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.processes import running_server, server_process

READY = """#!{python}
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Door(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
        self.wfile.write(b"")
print(os.environ["KEYBEARER_ISSUER"], *sys.argv[1:], flush=True)
if sys.argv[1] == "serve":
    HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Door).serve_forever()
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a stand-in where the server's program is; what is tested here is the handling of it."""
    file = tmp_path / "keybearer"
    file.write_text(READY.format(python=sys.executable))
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(processes, "PROGRAM", file)
    return file


@pytest.mark.usefixtures("program")
def test_it_is_ready_when_handed_over_and_gone_afterwards(tmp_path: Path) -> None:
    with running_server(tmp_path, "sqlite:///x") as server:
        assert server.is_running()
        assert f"{server.url} serve --host 127.0.0.1 --port {server.port} --workers 1" in server.log
        assert server.command("user", "add").stdout == f"{server.url} user add\n"
    assert not server.is_running()


@pytest.mark.usefixtures("program")
def test_it_can_be_killed_and_started_again_where_it_was(tmp_path: Path) -> None:
    with running_server(tmp_path, "sqlite:///x") as server:
        server.kill()
        assert not server.is_running()
        server.start()
        assert server.is_running()
        assert server.stop() == -15


def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path, program: Path) -> None:
    program.write_text("#!/bin/sh\necho the disk is full >&2; exit 3\n")
    with pytest.raises(RuntimeError, match="ended with 3: the disk is full"):
        server_process(tmp_path, "sqlite:///x").start()


def test_two_servers_do_not_share_a_port(tmp_path: Path) -> None:
    assert server_process(tmp_path, "a").port != server_process(tmp_path, "b").port
