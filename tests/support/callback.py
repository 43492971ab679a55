"""Somebody's app, as far as a person's browser sees it: the page that it comes back to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Callback:
    """Where an app waits for people to come back, and what they brought along."""

    address: str
    brought: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def waiting_app() -> Iterator[Callback]:
    """Have an app wait on a port of its own while the block lasts."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/callback":
                callback.brought.append({name: values[0] for name, values in parse_qs(url.query).items()})
            body = b"<!doctype html><title>The app</title><h1>Welcome back</h1>"
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    callback = Callback(f"http://127.0.0.1:{server.server_port}/callback")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield callback
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
