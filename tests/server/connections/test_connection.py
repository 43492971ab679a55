"""What a connection writes for an answer, and how much it takes of what cannot be answered yet."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.server import ServerState

from keybearer.cli.running import KEEP_ALIVE_S, listen, uvicorn_config
from keybearer.server.connections.connection import MAX_HEAD_BYTES, MAX_WAITING, Connection
from tests.support.waiting import until


class Wire(asyncio.Transport):
    """A client's end that keeps what was written to it, piece by piece."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 1), "sockname": ("127.0.0.1", 2)})
        self.pieces: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.pieces.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        """Go on, as what was read already does."""

    def resume_reading(self) -> None:
        """Go on."""


async def _plain(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _peer(request: Request) -> Response:
    assert request.client is not None
    return PlainTextResponse(request.client.host)


async def _slow(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await request.app.state.gate.wait()
        yield b"second"

    return StreamingResponse(pieces(), headers={"content-length": "11"})


Ask = Callable[..., Wire]


@pytest.fixture
def app() -> Starlette:
    app = Starlette(
        routes=[Route("/plain", _plain, methods=["GET", "POST"]), Route("/slow", _slow), Route("/peer", _peer)]
    )
    app.state.gate = asyncio.Event()
    return app


@pytest.fixture
async def ask(app: Starlette) -> AsyncIterator[Ask]:
    """Have what sends pieces of requests on a connection that ends with the test, and returns its wire."""
    state, connections = ServerState(), list[Connection]()
    config = uvicorn_config(lambda: app, 1)
    config.load()
    make = cast("Callable[..., Connection]", config.http_protocol_class)

    def asked(*pieces: bytes, address: str = "127.0.0.1") -> Wire:
        wire, connection = Wire(address), make(config, state, {})
        connections.append(connection)
        connection.connection_made(wire)
        for piece in pieces:
            connection.data_received(piece)
        return wire

    yield asked
    for connection in connections:
        connection.connection_lost(None)
    app.state.gate.set()
    await until(lambda: not state.tasks)


def ends(*tails: bytes) -> Callable[[Wire], bool]:
    """Tell whether there are that many pieces on a wire, or more, and they end so."""
    return lambda wire: [piece[-len(tail) :] for piece, tail in zip(wire.pieces, tails, strict=False)] == list(tails)


@pytest.mark.parametrize(
    ("request_line", "tail"), [(b"GET /plain", b"\r\n\r\n0"), (b"HEAD /plain", b"\r\n\r\n")], ids=["GET", "HEAD"]
)
async def test_a_small_answer_is_one_piece(ask: Ask, request_line: bytes, tail: bytes) -> None:
    wire = ask(request_line + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: ends(tail)(wire))
    assert len(wire.pieces) == 1
    assert wire.pieces[0].startswith(b"HTTP/1.1 200 OK\r\n")


async def test_of_an_answer_that_takes_its_time_each_piece_leaves_when_it_is_there(ask: Ask, app: Starlette) -> None:
    wire = ask(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: ends(b"\r\n\r\nfirst")(wire))
    assert len(wire.pieces) == 1
    app.state.gate.set()
    await until(lambda: ends(b"first", b"second")(wire))


async def test_who_waits_for_a_word_before_the_body_is_told_at_once(ask: Ask) -> None:
    wire = ask(b"POST /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    await until(lambda: wire.pieces == [b"HTTP/1.1 100 Continue\r\n\r\n"])


SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /plain HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = [b"a" * MAX_HEAD_BYTES, b"a"]
VAGUE = {
    "a head": [b"GET /plain HTTP/1.1\r\nX: ", *ENDLESS],
    "a head behind a request that is being answered": [SLOW + b"GET /plain HTTP/1.1\r\nX: ", *ENDLESS],
    "a trailer": [CHUNKED + b"0\r\nX: ", *ENDLESS],
    "what stands beside a chunk's size": [CHUNKED + b"1;a=", *ENDLESS],
}


@pytest.mark.parametrize("pieces", VAGUE.values(), ids=VAGUE)
async def test_what_never_becomes_whole_is_cut_off(ask: Ask, pieces: list[bytes]) -> None:
    """attacks.md K1, K2: a header is put together anew at each of its pieces, so one without end stops everybody."""
    assert ask(*pieces).is_closed


async def test_a_long_body_in_small_chunks_is_cut_off_by_nobody(ask: Ask) -> None:
    chunk = b"1;a=b\r\na\r\n"
    wire = ask(CHUNKED, *[chunk * 64] * (MAX_HEAD_BYTES // 64), b"0\r\nX: y\r\n\r\n")
    await until(lambda: ends(b"\r\n\r\n%d" % MAX_HEAD_BYTES)(wire))


async def test_an_ipv4_address_that_comes_by_ipv6_is_the_ipv4_address(ask: Ask) -> None:
    wire = ask(b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n", address="::ffff:198.51.100.7")
    await until(lambda: ends(b"\r\n\r\n198.51.100.7")(wire))


@pytest.mark.parametrize(("count", "is_closed"), [(MAX_WAITING, False), (MAX_WAITING + 1, True)])
async def test_only_so_many_requests_wait_for_the_one_ahead(ask: Ask, count: int, *, is_closed: bool) -> None:
    wire = ask(SLOW + b"GET /plain HTTP/1.1\r\nHost: x\r\n\r\n" * count)
    assert wire.is_closed is is_closed


def test_a_client_that_takes_nothing_of_its_answers_is_not_kept_for_ever() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == KEEP_ALIVE_S * 1000
