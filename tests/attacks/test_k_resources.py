"""K1, K2, K3, K5: what would use up time, memory or connections is cut off early, with an answer that says so."""

import socket
import threading
from contextlib import closing

import httpx2
import pytest

from keybearer.server.connections.connection import MAX_HEAD_BYTES
from keybearer.server.http.forms import MAX_FIELDS
from keybearer.server.http.intake import MAX_BODY_BYTES
from tests.support.api import set_stage
from tests.support.house import House
from tests.support.processes import ServerProcess
from tests.support.scraped import scrape_process
from tests.support.wire import knock

HOST = b"Host: x\r\n"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def test_k1_a_connection_on_which_nothing_is_asked_is_closed(impatient: ServerProcess) -> None:
    heard = knock(impatient.port)
    assert (heard.raw, heard.is_closed) == (b"", True)


@pytest.mark.parametrize(
    "head", [b"G", b"GET /healthz HTTP/1.1\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: "], ids=range(3)
)
def test_k1_a_head_that_is_never_whole_is_408(impatient: ServerProcess, head: bytes) -> None:
    heard = knock(impatient.port, head)
    assert (heard.statuses, heard.is_closed) == ([408], True)


def test_k1_a_head_that_comes_byte_by_byte_is_408_however_steadily_it_comes(impatient: ServerProcess) -> None:
    stop = threading.Event()
    with closing(socket.create_connection(("127.0.0.1", impatient.port), timeout=20)) as connection:

        def drip() -> None:
            while not stop.wait(0.1):
                try:
                    connection.sendall(b"X-A: b\r\n")
                except OSError:
                    return

        connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST)
        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
        finally:
            stop.set()
            dripping.join()


def test_k1_the_second_head_on_a_connection_has_no_more_time_than_the_first(impatient: ServerProcess) -> None:
    heard = knock(impatient.port, b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\nGET /healthz HTTP/1.1\r\n")
    assert heard.is_closed
    assert heard.statuses in ([200, 408], [200])


def test_k1_who_scrapes_has_no_more_time_and_holds_nobody_up(impatient: ServerProcess) -> None:
    with closing(socket.create_connection(("127.0.0.1", impatient.metrics_port), timeout=20)) as slow:
        slow.sendall(b"GET /metrics HTTP/1.1\r\n")
        assert scrape_process(impatient).value("database_up") == 1
        assert slow.recv(65536).startswith(b"HTTP/1.1 408 ")
    heard = knock(impatient.metrics_port, b"GET /metrics HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 64 * 1024)
    assert heard.statuses == [431]


def test_k1_a_body_that_never_comes_is_408(impatient: ServerProcess) -> None:
    head = b"POST /oauth/token HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n"
    heard = knock(impatient.port, head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\na=")
    assert (heard.statuses, heard.is_closed) == ([408], True)


def test_k1_others_are_served_meanwhile(impatient: ServerProcess) -> None:
    idle = [socket.create_connection(("127.0.0.1", impatient.port)) for _ in range(200)]
    try:
        assert httpx2.get(f"{impatient.url}/healthz", timeout=20).status_code == 200
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 64 * 1024 + b"\r\n\r\n", id="64 KB in one"
        ),
        pytest.param(b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 101 + b"\r\n", id="101 headers"),
    ],
)
def test_k2_a_head_that_is_too_large_is_431(impatient: ServerProcess, raw: bytes) -> None:
    heard = knock(impatient.port, raw)
    assert (heard.statuses, heard.is_closed) == ([431], True)


def test_k2_a_head_without_end_is_cut_off_before_it_fills_the_memory(impatient: ServerProcess) -> None:
    endless = [
        b"GET /healthz HTTP/1.1\r\n" + HOST,
        *[b"X-A: " + b"a" * 1000 + b"\r\n"] * (MAX_HEAD_BYTES // 1000 + 1000),
    ]
    heard = knock(impatient.port, *endless)
    assert heard.is_closed
    assert heard.statuses in ([431], [])  # a client that still writes may miss the answer


def test_k2_a_body_of_two_megabytes_is_413_said_or_sent(impatient: ServerProcess) -> None:
    head = b"POST /oauth/token HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
    heard = knock(impatient.port, head + b"Content-Length: 2000000\r\n\r\n")
    assert (heard.statuses, heard.is_closed) == ([413], True)
    chunk = b"%x\r\n" % MAX_BODY_BYTES + b"a" * MAX_BODY_BYTES + b"\r\n"
    heard = knock(impatient.port, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"1\r\na\r\n")
    assert (heard.statuses, heard.is_closed) == ([413], True)


HOSTILE_JSON = {
    "deep list": b"[" * 10_000,
    "deep object": b'{"a":' * 10_000,
    "1e400": b'{"name": 1e400}',
    "-1e400": b'{"name": -1e400}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": Infinity}',
    "300 digits": b'{"name": ' + b"9" * 300 + b"}",
    "5000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "named twice": b'{"name": "Eve", "name": "Ada"}',
    "named twice below": b'{"name": {"a": 1, "a": 2}}',
    "half a surrogate pair": b'{"name": "\\ud800"}',
    "NUL": b'{"name": "a\\u0000b"}',
    "a byte order mark": b'\xef\xbb\xbf{"name": "Eve"}',
    "UTF-16": '{"name": "Eve"}'.encode("utf-16"),
    "10,000 properties": b"{" + b",".join(b'"%d":1' % number for number in range(5000)) + b"}",
    "a comment": b'{"name": "Eve" /* */}',
    "two documents": b'{"name": "Eve"}{"name": "Eve"}',
}


async def test_k2_hostile_json_is_422_and_changes_nothing(house: House) -> None:
    stage = await set_stage(house)
    api = await stage.personal(stage.ada, stage.acme)
    for name, body in HOSTILE_JSON.items():
        answer = await api.patch("/api/v2/me", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422, name
        assert answer.json(), name
    assert (await api.get("/api/v2/me")).json()["name"] == "Ada"


async def test_k2_ten_thousand_fields_are_refused_at_every_form(house: House) -> None:
    fields = "&".join(f"a{number}" for number in range(10_000))
    for path in ("/oauth/token", "/oauth/revoke", "/login"):
        answer = await house.program().post(path, content=fields, headers=FORM)
        assert answer.status_code in {400, 422}, path
        assert str(MAX_FIELDS) in answer.text, path
    answer = await house.program().get(f"/oauth/authorize?{fields}")
    assert answer.status_code == 400


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x-unknown"])
async def test_k3_compressed_bodies_are_415(impatient: ServerProcess, encoding: str) -> None:
    headers = {**FORM, "content-encoding": encoding}
    async with httpx2.AsyncClient(base_url=impatient.url, timeout=20) as client:
        for path in ("/oauth/token", "/login", "/api/v2/me"):
            assert (await client.post(path, content=b"\x1f\x8b" + b"x" * 100, headers=headers)).status_code == 415


async def test_k5_ranges_of_static_files_are_ignored(impatient: ServerProcess) -> None:
    async with httpx2.AsyncClient(base_url=impatient.url, timeout=20) as client:
        page = await client.get("/login")
        sheet = page.text.partition('href="/static/')[2].partition('"')[0]
        whole = await client.get(f"/static/{sheet}")
        assert whole.status_code == 200
        many = "bytes=" + ",".join(f"{number}-{number}" for number in range(1500))
        for ranges in ("bytes=0-0", "bytes=0-0,-1", "bytes=99999999-", many):
            answer = await client.get(f"/static/{sheet}", headers={"range": ranges})
            assert (answer.status_code, answer.content) == (200, whole.content)
