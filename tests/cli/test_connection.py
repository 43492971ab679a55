"""What a connection writes for an answer: head and first piece of the body at once, everything else as it comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.server import ServerState

from keybearer.cli.connection import Connection
from keybearer.cli.running import uvicorn_config
from tests.support.waiting import until


class Wire(asyncio.Transport):
    """A client's end that keeps what was written to it, piece by piece."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.pieces: list[bytes] = []

    def write(self, data: Any) -> None:
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return False


async def _plain(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _slow(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        await request.app.state.gate.wait()
        yield b"second"

    return StreamingResponse(pieces(), headers={"content-length": "11"})


Ask = Callable[[bytes], Wire]


@pytest.fixture
def app() -> Starlette:
    app = Starlette(routes=[Route("/plain", _plain, methods=["GET", "POST"]), Route("/slow", _slow)])
    app.state.gate = asyncio.Event()
    return app


@pytest.fixture
async def ask(app: Starlette) -> Ask:
    """Return what sends the beginning of a request on a new connection, and returns its wire."""
    config = uvicorn_config(lambda: app, 1)
    config.load()
    make = cast("Callable[..., Connection]", config.http_protocol_class)

    def asked(request: bytes) -> Wire:
        wire, connection = Wire(), make(config, ServerState(), {})
        connection.connection_made(wire)
        connection.data_received(request)
        return wire

    return asked


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
